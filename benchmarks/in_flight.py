"""How many pairs may be trained at a time, none of them seeing what the others do, before a model is worse for it.

    python -m benchmarks in-flight corel5k.h5 --pairs 32 1024 2048 4096 --out FOLDER

On a card as many groups work at once. Here one thread of the processor does what they would: it trains blocks of so
many pairs, whose steps see the tables as they were when the block began, and whose moves add up. Each number runs in a
process of its own, as it is a constant of the compiled loop.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.own_process import in_own_process


def main(arguments: Sequence[str]) -> None:
    """Train, print a line for each set and number, and write `in-flight.json`."""
    parser = argparse.ArgumentParser(prog="benchmarks in-flight", description=__doc__.splitlines()[0])
    parser.add_argument("sets", type=Path, nargs="+", help="files of `benchmarks sets`, or any others")
    parser.add_argument("--pairs", type=int, nargs="+", default=[32, 256, 1024, 2048, 4096])
    parser.add_argument("--inputs", nargs="+", choices=["ids", "labels"], default=["ids", "labels"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--out", type=Path, default=Path())
    options = parser.parse_args(arguments)
    lines = []
    for path in options.sets:
        for inputs in options.inputs:
            for pairs in options.pairs:
                job = {
                    "set": str(path),
                    "inputs": inputs,
                    "pairs": pairs,
                    "seeds": options.seeds,
                    "epochs": options.epochs,
                }
                found = in_own_process("in_flight_run.py", job)
                lines.append({"set": path.stem, "inputs": inputs, "pairs": pairs, **found})
                mrr = lines[-1]["mrr"]
                print(f"{path.stem:20} {inputs:8} {pairs:6} at a time: MRR {sum(mrr) / len(mrr):.4f}", flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "in-flight.json").write_text(json.dumps(lines, indent=1))
