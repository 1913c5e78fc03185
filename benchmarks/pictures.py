"""Measure how many pictures per second are decoded and described.

    python -m benchmarks pictures --threads 2 --out FOLDER
    python -m benchmarks pictures --backbone model.onnx

The benchmark creates JPEG pictures of smooth shapes and noise, about as large as those of a camera. It describes them
twice; the first time only loads the files into memory. Processor seconds also show the cost on a busy machine.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import machine
from vsenumba.pictures import as_backbone, describe_pictures

# Width, height, quality and number of pictures.
KINDS = {"640x480": (640, 480, 85, 2000), "12 megapixels": (4000, 3000, 88, 60)}


def main(arguments: Sequence[str]) -> None:
    """Measure, print a table, and write `pictures.json`."""
    parser = argparse.ArgumentParser(prog="benchmarks pictures", description=__doc__.splitlines()[0])
    parser.add_argument("--backbone", default="descriptors")
    parser.add_argument("--share", type=float, default=1.0, help="of the pictures")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER")
    options = parser.parse_args(arguments)
    settings = {} if options.backbone == "descriptors" else {"n_threads": options.threads}
    backbone = as_backbone(options.backbone, **settings)
    found = {}
    print(f"{'pictures':16} {'of MB':>7} {'a second':>9} {'ms of processor each':>21}")
    for name, (width, height, quality, n) in KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            n_pictures = max(1, round(n * options.share))
            megabytes = make(Path(folder), width, height, quality, n_pictures)
            describe_pictures(folder, backbone, n_threads=options.threads)
            found[name] = measured(folder, backbone, options.threads) | {"megabytes": megabytes}
        rate, cost = found[name]["pictures_a_second"], 1000 * found[name]["processor_seconds_each"]
        print(f"{name:16} {megabytes:7.2f} {rate:9.0f} {cost:21.1f}")
    options.out.mkdir(parents=True, exist_ok=True)
    report = {"machine": machine(), "threads": options.threads, "backbone": backbone.id.name, "pictures": found}
    (options.out / "pictures.json").write_text(json.dumps(report, indent=2))


def make(folder: Path, width: int, height: int, quality: int, n: int) -> float:
    """Write some pictures, and return the mean size of one in megabytes."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for i in range(n):
        forms, noise = (
            Image.fromarray(rng.integers(0, 256, size, dtype=np.uint8)).resize(
                (width, height), Image.Resampling.BICUBIC
            )
            for size in ((12, 16, 3), (height // 3, width // 3, 3))
        )
        Image.blend(forms, noise, 0.2).save(folder / f"{i:05}.jpg", quality=quality)
    return sum(path.stat().st_size for path in folder.iterdir()) / n / 1e6


def measured(folder: str, backbone: Any, n_threads: int) -> dict[str, float]:
    """Return the time to describe a folder, per picture."""
    started, processor = time.perf_counter(), time.process_time()
    n = len(describe_pictures(folder, backbone, n_threads=n_threads).image_ids)
    seconds, processor = time.perf_counter() - started, time.process_time() - processor
    return {"pictures": n, "pictures_a_second": n / seconds, "processor_seconds_each": processor / n}
