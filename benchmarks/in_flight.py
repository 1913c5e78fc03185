"""Measure how many pairs can be trained at once, without seeing each other's updates, at the same accuracy.

    python -m benchmarks in-flight corel5k.h5 --pairs 32 1024 2048 4096 --out FOLDER

On a GPU, this number of groups works in parallel. Here one CPU thread simulates them. It trains blocks of this number
of pairs, whose steps use the tables as they were at the start of the block, and adds up their updates. Each number runs
in a separate process, because it is a constant of the compiled loop.
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
