"""Measure the accuracy of a model with each kind of input, and with sums of inputs.

All models use the default settings. One label of every image is held out. A random half of the images chooses the
epoch, and the scores come from the other half.

    python -m benchmarks inputs openclipart corel5k.h5 --seeds 3 --out FOLDER
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import machine
from benchmarks.splits import Split
from vsenumba import ImageAnnotator, load_dataset

INPUTS: tuple[Any, ...] = ("labels", "ids", ("labels", "ids"), ("ids", "labels"))


def measured(split: Split, inputs: Any, options: argparse.Namespace, seed: int) -> dict[str, float]:
    """Return the MRR on the reporting half at the best epoch of the choosing half, that epoch, and the seconds."""
    best = {"chosen_by": -1.0, "mrr": 0.0, "epoch": 0}

    def look(model: ImageAnnotator, record: Any) -> None:
        chosen_by, mrr = split.mrr(model)
        if chosen_by > best["chosen_by"]:
            best.update(chosen_by=chosen_by, mrr=mrr, epoch=int(record["epoch"]))

    model = ImageAnnotator(inputs, options.factors, n_epochs=options.epochs, max_neighbours=0, random_state=seed)
    model.fit(split.train, callbacks=[look])
    return {**best, "seconds": model.history_[-1]["seconds"]}


def main(arguments: Sequence[str]) -> None:
    """Measure, print a table and write ``inputs.json``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks inputs", description=__doc__)
    parser.add_argument("sets", nargs="+", metavar="SET")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--factors", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--images", type=int, default=5000, help="Maximum number of test images.")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    results: dict[str, dict[str, list[dict[str, float]]]] = {}
    print("| set | " + " | ".join(map(_name, INPUTS)) + " |")
    for source in options.sets:
        split = Split(load_dataset(source), options.images)
        runs = {
            _name(inputs): [measured(split, inputs, options, seed) for seed in range(options.seeds)]
            for inputs in INPUTS
        }
        results[Path(source).stem] = runs
        cells = []
        for ones in runs.values():
            mrr = [one["mrr"] for one in ones]
            cells.append(f"{np.median(mrr):.3f} ({min(mrr):.3f}–{max(mrr):.3f}), {ones[0]['seconds']:.2f} s")
        print(f"| {Path(source).stem} | " + " | ".join(cells) + " |", flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    document = {"machine": machine(), "settings": vars(options) | {"out": str(options.out)}, "results": results}
    (options.out / "inputs.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _name(inputs: Any) -> str:
    return inputs if isinstance(inputs, str) else " + ".join(inputs)
