"""Measure the speed and memory of queries: suggest labels, find images, and find similar images and labels.

    python -m benchmarks asking --out FOLDER

The models are trained only briefly on planted sets, because their accuracy does not matter here. Times are medians over
the repeats. They are measured in Python and include the returned `Match` objects. `suggestions` measures `annotate` for
images given by their labels, and `annotate_factors` for images given by their vectors; `blocks` is the same without the
objects. `find` and `similar` are single queries. The last table queries some images of a set of ten million images and
100,000 labels, and reports how much the memory of the process grows. ``--index N`` builds an approximate index of N
images (needs the extra ``ann``), and compares it with the exact search for 30 labels.
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import vsenumba as vse
from benchmarks.machine import machine
from vsenumba.models.image_index import ImageIndex

N = 10
_PLAIN = {"n_epochs": 1, "max_neighbours": 0, "sampler": "uniform", "random_state": 0}


def main(arguments: list[str]) -> None:
    """Measure, print tables, and write `asking.json`."""
    parser = argparse.ArgumentParser(prog="benchmarks asking", description=__doc__.splitlines()[0])
    parser.add_argument("--suggest", type=int, nargs=2, default=[20_000, 5_000], metavar="N", help="images, labels")
    parser.add_argument("--search", type=int, nargs=2, default=[50_000, 20_000], metavar="N", help="images, labels")
    parser.add_argument(
        "--stream", type=int, nargs=2, default=[10_000_000, 100_000], metavar="N", help="images, labels"
    )
    parser.add_argument("--asked", type=int, default=20_000, help="how many images of the last set to ask about")
    parser.add_argument("--index", type=int, default=0, metavar="N", help="images of an approximate index; 0 for none")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--factors", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER")
    options = parser.parse_args(arguments)
    results = {
        "suggest": suggestions(*options.suggest, options),
        "search": searches(*options.search, options),
        "stream": stream(*options.stream, options),
    }
    if options.index:
        results["index"] = indexed(options.index, options)
    options.out.mkdir(parents=True, exist_ok=True)
    settings = {name: getattr(options, name) for name in ("threads", "factors", "repeats", "asked")}
    (options.out / "asking.json").write_text(json.dumps({"machine": machine(), **settings, **results}, indent=1))


def _model(data: vse.AnnotationSet, options: argparse.Namespace, **parameters: Any) -> vse.ImageAnnotator:
    settings = _PLAIN | {"n_factors": options.factors, "n_threads": options.threads} | parameters
    return vse.ImageAnnotator(**settings).fit(data)


def suggestions(n_images: int, n_labels: int, options: argparse.Namespace) -> dict[str, Any]:
    """Measure suggestions for images that are known by their labels or by their vectors."""
    data = vse.synthetic(n_images, n_labels, 6 * n_images, rng=0)
    model = _model(data, options)
    vectors, few = model.embed(data), list(model.label_names_)[: n_labels // 10]
    ways = {
        "annotate, by labels": lambda: model.annotate(data, N),
        "annotate, by labels, only a tenth of the labels": lambda: model.annotate(data, N, only=few),
        "annotate, by labels, without a tenth": lambda: model.annotate(data, N, without=few),
        "annotate_factors, by vectors": lambda: model.annotate_factors(vectors, N),
        "blocks, by labels": lambda: list(model._best(data, N, None, None, None, None)[1]),
    }
    seconds = _rounds(ways, options.repeats)
    print(f"{n_images:,} images, {n_labels:,} labels, k={options.factors}, n={N}, {options.threads} threads\n")
    print("| suggestions | seconds | images/s |\n|---|---:|---:|")
    for name, value in seconds.items():
        print(f"| {name} | {value:.2f} | {n_images / value:,.0f} |")
    return {"shape": data.shape, "seconds": seconds}


def searches(n_images: int, n_labels: int, options: argparse.Namespace) -> dict[str, Any]:
    """Measure searches among all images of a set."""
    data = vse.synthetic(n_images, n_labels, 6 * n_images, rng=0)
    result: dict[str, Any] = {"shape": data.shape, "seconds": {}}
    print(f"\n{n_images:,} images, {n_labels:,} labels: one question\n")
    print("| question | inputs | ms |\n|---|---|---:|")
    for inputs in ("labels", "ids"):
        model = _model(data, options, inputs=inputs)
        label, several, image = model.label_names_[0], list(model.label_names_)[:3], model.image_ids_[0]
        ways: dict[str, Callable[[], object]] = {
            "find_images, a label": lambda model=model, label=label: model.find_images(label, N),
            "find_images, three labels": lambda model=model, several=several: model.find_images(several, N),
            "similar_images": lambda model=model, image=image: model.similar_images(image, N),
            "similar_labels": lambda model=model, label=label: model.similar_labels(label, N),
        }
        result["seconds"][inputs] = seconds = _rounds(ways, options.repeats)
        for name, value in seconds.items():
            print(f"| {name} | {inputs} | {1000 * value:.1f} |")
    return result


def stream(n_images: int, n_labels: int, options: argparse.Namespace) -> dict[str, Any]:
    """Query the first images of a large set, and measure by how much the memory of the process grows."""
    rng = np.random.default_rng(0)
    model = _model(vse.synthetic(2 * n_labels, n_labels, 6 * n_labels, rng=0), options)
    columns = np.sort(rng.integers(0, n_labels - 2, (n_images, 3), dtype=np.int32), axis=1)
    columns += np.arange(3, dtype=np.int32)  # so that no label occurs twice
    indptr = np.arange(0, columns.size + 1, 3, dtype=np.int64)
    data = vse.AnnotationSet(indptr, columns.ravel(), n_labels, None, model.label_names_)
    del columns
    model.annotate([[model.label_names_[0]]])
    before, started = _peak_bytes(), time.perf_counter()
    answers = model.annotate_each(data, N)
    next(answers)
    first = time.perf_counter() - started
    n_asked = min(options.asked, n_images) - 1
    n_found = sum(len(found) for _, found in itertools.islice(answers, n_asked))
    seconds = time.perf_counter() - started - first
    grown = _peak_bytes() - before
    print(f"\n{n_images:,} images, {n_labels:,} labels, streamed\n")
    print("| seconds to the first answer | images/s | the process grew by |\n|---:|---:|---:|")
    print(f"| {first:.2f} | {n_asked / max(seconds, 1e-9):,.0f} | {grown / 1e6:,.0f} MB |")
    return {"shape": data.shape, "first": first, "seconds": seconds, "n_found": n_found, "bytes": grown}


def indexed(n_images: int, options: argparse.Namespace) -> dict[str, Any]:
    """Build an index of some images, and compare it with the exact search for some labels."""
    n_labels = max(10, n_images // 50)
    small = vse.synthetic(3 * n_labels, n_labels, 18 * n_labels, rng=0)
    drawn = vse.synthetic(n_images, n_labels, 6 * n_images, rng=1)
    data = vse.AnnotationSet(drawn.indptr, drawn.indices, n_labels, None, small.label_names)
    model = _model(small, options, n_epochs=5, sampler=None)
    started = time.perf_counter()
    index = ImageIndex.build(model, data)
    building = time.perf_counter() - started
    labels = [model.label_names_[int(j)] for j in np.random.default_rng(0).integers(0, n_labels, 30)]
    result: dict[str, Any] = {"n_images": n_images, "building": building, "questions": {}}
    print(f"\n{n_images:,} images, an index built in {building:.0f} s\n")
    print("| known images | exact, ms | index, ms | recall@10 |\n|---|---:|---:|---:|")
    for known in (False, True):
        exact = [{one.name for one in model.find_images(a, N, images=data, include_known=known)} for a in labels]
        found = [{one.name for one in index.find_images(a, N, include_known=known)} for a in labels]
        recall = statistics.mean(len(a & b) / max(len(b), 1) for a, b in zip(found, exact, strict=True))
        ways: dict[str, Callable[[], object]] = {
            "exact": lambda known=known: model.find_images(labels[0], N, images=data, include_known=known),
            "index": lambda known=known: index.find_images(labels[0], N, include_known=known),
        }
        seconds = _rounds(ways, options.repeats)
        result["questions"]["with" if known else "without"] = {"recall": recall, "seconds": seconds}
        print(
            f"| {'with' if known else 'without'} | {1000 * seconds['exact']:.0f} | {1000 * seconds['index']:.1f} | "
            f"{recall:.2f} |"
        )
    return result


def _peak_bytes() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _rounds(ways: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Return the median seconds of several functions, called in turns; the first round is not counted."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(repeats + 1):
        for name, ask in ways.items():
            started = time.perf_counter()
            ask()
            if turn:
                taken[name].append(time.perf_counter() - started)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}
