"""One job of the import benchmark; see `benchmarks.own_process`."""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any


def read(file: str) -> dict[str, Any]:
    """Read a table."""
    import vsenumba as vse
    from benchmarks.memory import peak_bytes

    warnings.simplefilter("ignore", UserWarning)
    started, cpu = time.perf_counter(), time.process_time()
    data = vse.load_dataset(file)
    return {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu,
        "n_images": data.n_images,
        "n_labels": data.n_labels,
        "n_pairs": data.n_pairs,
        "n_absent": 0 if data.absent is None else data.absent.n_pairs,
        "sha256": data.digest(),
        "peak_bytes": peak_bytes(),
    }


if __name__ == "__main__":
    job = json.load(sys.stdin)
    sys.path[:] = [*job.pop("path"), str(Path(__file__).parents[1])]
    print(json.dumps(read(**job)))
