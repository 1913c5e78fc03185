"""One job of the scale benchmarks; see `benchmarks.own_process`."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def make(file: str, n_images: int, n_labels: int, n_pairs: int) -> dict[str, Any]:
    """Write a planted set."""
    from benchmarks.memory import peak_bytes
    from vsenumba.data import save_synthetic

    started = time.perf_counter()
    save_synthetic(file, n_images, n_labels, n_pairs, rng=0)
    return {"seconds": time.perf_counter() - started, "peak_bytes": peak_bytes()}


def train(file: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Load a set and train a model on it."""
    import vsenumba as vse
    from benchmarks.memory import peak_bytes

    model = vse.ImageAnnotator(**parameters, max_neighbours=0, random_state=0)
    started = time.perf_counter()
    data = vse.load_dataset(file)
    loaded = time.perf_counter()
    model.fit(data)
    seconds = [record["seconds"] for record in model.history_]
    fitted = time.perf_counter() - loaded
    epochs = [after - before for before, after in zip([0.0, *seconds], seconds, strict=False)]
    # Row Adagrad keeps four bytes per row.
    model_bytes = sum(table.nbytes + 4 * len(table) for table in model.tables_.values())
    n_steps = model.history_[-1]["steps"]
    return {
        "n_images": data.n_images,
        "n_labels": data.n_labels,
        "n_pairs": data.n_pairs,
        "load_seconds": loaded - started,
        "prepare_seconds": fitted - seconds[-1],
        "epochs": epochs,
        "epoch_seconds": statistics.median(epochs),
        "total_seconds": seconds[-1],
        "steps_per_second": n_steps / seconds[-1],
        "peak_bytes": peak_bytes(),
        "bound_bytes": int(1.25 * model_bytes) + 10**9,
    }


if __name__ == "__main__":
    job = json.load(sys.stdin)
    sys.path[:] = [*job.pop("path"), str(Path(__file__).parents[1])]
    print(json.dumps({"make": make, "train": train}[job.pop("task")](**job)))
