"""Compare steps per second with LightFM and implicit at equal k, on one and more threads, and with hardware limits.

A step is one pair with its negative. All methods train on the same planted set. Their epochs are interleaved, and the
times are medians. The bound of a step is the larger of two times: moving the rows that it must read and write, at the
measured copy bandwidth for arrays of the tables' size; and its arithmetic at the measured peak speed.

    python -m benchmarks pace --threads 2 --out FOLDER

Times are only comparable if nothing else runs on the machine.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numba import prange

from benchmarks.machine import machine
from benchmarks.peers import versions
from vsenumba import AnnotationSet, ImageAnnotator, synthetic
from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.threads import threads

OURS: dict[str, dict[str, Any]] = {
    f"ours, {inputs}, {sampler or 'as it comes'}": {"inputs": inputs, "sampler": sampler}
    for inputs in ("ids", "labels")
    for sampler in ("uniform", "adaptive", None)
}

# Multiplications and additions. Per factor of a step: 7 for the three dot products and the gap, 8 for the updates of
# two labels, 4 for the gradient of the image's vector. Per factor of a visit: to update the image. Per factor of a
# pair: to add up and update its context.
STEP_FLOPS = 19
VISIT_FLOPS = {"ids": 5, "labels": 0}
PAIR_FLOPS = {"ids": 0, "labels": 12}

# The number of values that keeps the CPU's multipliers busy, 12 vectors of 8, and the operations on each at a time.
_WIDTH = 96
_DEPTH = 16


@kernel(parallel=True)
def multiply_add(values, factor, term, n, result):
    """Multiply and add, ``2 * n * _DEPTH`` operations on each value; the rows are shared among the threads."""
    for chunk in prange(values.shape[0]):
        for _ in range(n):
            for j in range(values.shape[1]):
                value = values[chunk, j]
                for _ in range(_DEPTH):
                    value = value * factor + term
                values[chunk, j] = value
        # Use the result, so that the compiler does not remove the loop.
        result[chunk] = values[chunk, 0]


def median_seconds(function: Callable[[], Any], repeats: int) -> float:
    """Return the median seconds of a call, without the first."""
    seconds = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[1:])


def compute_speed(n_threads: int, options: argparse.Namespace) -> float:
    """Return the billions of operations per second in a loop that needs no memory."""
    n_chunks = 4 * n_threads
    values, result = np.ones((n_chunks, _WIDTH), np.float32), np.zeros(n_chunks)
    with threads(n_threads):
        operands = values, np.float32(0.999), np.float32(0.001), options.loops, result
        seconds = median_seconds(lambda: multiply_add(*operands), options.repeats)
    return 2 * _WIDTH * _DEPTH * options.loops * n_chunks / seconds / 1e9


@kernel(parallel=True)
def copy_numbers(source, target, times):
    """Copy an array several times with ordinary loads and stores; the rows are shared among the threads."""
    for part in prange(source.shape[0]):
        for _ in range(times):
            for i in range(source.shape[1]):
                target[part, i] = source[part, i]


def copy_bandwidth(n_bytes: int, repeats: int, n_threads: int = 1) -> float:
    """Return the billions of bytes read and written per second when one half of some bytes is copied to the other."""
    source, target = np.ones((2, n_threads, max(n_bytes // 8 // n_threads, 1)), np.float32)
    times = max(1, 2**24 // n_bytes)
    with threads(n_threads):
        seconds = median_seconds(lambda: copy_numbers(source, target, times), repeats)
    return 2 * source.nbytes * times / seconds / 1e9


def bound(data: AnnotationSet, inputs: str, k: int, peak: float, repeats: int) -> dict[str, float]:
    """Return the shortest time of a step with one uniform negative, in ns, and its parts."""
    row = 4 * k
    per_image = data.n_pairs / data.n_images
    table = row * data.n_labels
    # A step reads and writes two labels, and either the image's row once per visit or one context row per pair.
    if inputs == "ids":
        parts = [(4 * row, table), (2 * row / per_image, row * data.n_images)]
    else:
        parts = [(4 * row, 2 * table), (2 * row, 2 * table)]
    memory = sum(moved / copy_bandwidth(size, repeats) for moved, size in parts)
    flops = k * (STEP_FLOPS + VISIT_FLOPS[inputs] / per_image + PAIR_FLOPS[inputs])
    return {"bytes": sum(moved for moved, _ in parts), "flops": flops, "memory_ns": memory, "compute_ns": flops / peak}


class OurPace:
    """An ImageAnnotator that trains one epoch at a time."""

    def __init__(self, data: AnnotationSet, k: int, n_threads: int, settings: Mapping[str, Any]) -> None:
        self._data = data
        self._model = ImageAnnotator(
            n_factors=k,
            n_negatives=1,
            schedule="constant",
            max_neighbours=0,
            n_threads=n_threads,
            random_state=0,
            **settings,
        )

    def epoch(self) -> float:
        """Train an epoch; return the seconds a step."""
        self._model.partial_fit(self._data)
        seconds, steps = (np.diff([0.0, *self._model.history_[name]])[-1] for name in ("seconds", "steps"))
        return float(seconds / steps)


class LightFmPace:
    """LightFM, one epoch at a time."""

    def __init__(self, data: AnnotationSet, k: int, n_threads: int, loss: str) -> None:
        from lightfm import LightFM

        images, labels = (side.astype(np.int32) for side in data.pairs())
        self._pairs = sp.coo_matrix((np.ones(len(images), dtype=np.float32), (images, labels)), shape=data.shape)
        self._model = LightFM(no_components=k, loss=loss, random_state=0)
        self._n_threads = n_threads

    def epoch(self) -> float:
        """Train an epoch; return the seconds a step."""
        started = time.perf_counter()
        self._model.fit_partial(self._pairs, num_threads=self._n_threads)
        return (time.perf_counter() - started) / self._pairs.nnz


class ImplicitPace:
    """implicit's BPR. It starts anew each time, so two epochs are trained and the second is timed."""

    def __init__(self, data: AnnotationSet, k: int, n_threads: int) -> None:
        from implicit.cpu.bpr import BayesianPersonalizedRanking

        self._matrix = sp.csr_matrix(data.to_csr(), dtype=np.float32)
        self._model = BayesianPersonalizedRanking(factors=k, iterations=2, num_threads=n_threads, random_state=0)

    def epoch(self) -> float:
        """Train two epochs; return the seconds per step of the second."""
        ends: list[float] = []
        self._model.fit(self._matrix, show_progress=False, callback=lambda *_: ends.append(time.perf_counter()))
        return (ends[1] - ends[0]) / self._matrix.nnz


def contestants(data: AnnotationSet, k: int, n_threads: int) -> dict[str, Any]:
    """Return the methods to time at one k, by name, without peers that are not installed."""
    found: dict[str, Any] = {
        f"{name}, {n} thread{'s' if n > 1 else ''}": OurPace(data, k, n, settings)
        for name, settings in OURS.items()
        for n in dict.fromkeys((1, n_threads))
    }
    if importlib.util.find_spec("lightfm"):
        found |= {f"LightFM {loss.upper()}": LightFmPace(data, k, n_threads, loss) for loss in ("bpr", "warp")}
    if importlib.util.find_spec("implicit"):
        found["implicit BPR"] = ImplicitPace(data, k, n_threads)
    return found


def measure(data: AnnotationSet, k: int, peak: float, options: argparse.Namespace) -> dict[str, Any]:
    """Return the ns per step of every method, as medians of interleaved epochs, and the bounds of our methods."""
    timed = contestants(data, k, options.threads)
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    for repeat in range(options.repeats + 1):
        for name, contestant in timed.items():
            taken = contestant.epoch()
            if repeat:  # the first round is a warm-up
                seconds[name].append(taken)
        print(f"k = {k}, round {repeat}", file=sys.stderr, flush=True)
    return {
        "ns": {name: [1e9 * one for one in all_] for name, all_ in seconds.items()},
        "bounds": {inputs: bound(data, inputs, k, peak, options.repeats) for inputs in ("ids", "labels")},
    }


def tables(result: Mapping[str, Any]) -> str:
    """Return the measurements in Markdown."""
    compute, n = result["compute"], result["settings"]["threads"]
    lines = [
        f"A loop of multiplications and additions: {compute['1']:.1f} billion a second on one thread, "
        f"{compute[str(n)] / compute['1']:.2f} times that on {n}.\n",
        "| k | method | ns a step | million steps/s | threads against one | bound, ns | share of it |",
        "|---" * 7 + "|",
    ]
    for k, measured in result["factors"].items():
        ns = {name: statistics.median(all_) for name, all_ in measured["ns"].items()}
        for name, one in ns.items():
            single, share, limit = ns.get(name.rpartition(", ")[0] + ", 1 thread"), "–", "–"
            if name.endswith("uniform, 1 thread"):
                bounds = measured["bounds"][name.split(", ")[1]]
                least = max(bounds["memory_ns"], bounds["compute_ns"])
                limit, share = f"{least:.0f}", f"{least / one:.0%}"
            gain = f"{single / one:.2f}" if name.endswith("threads") and single else "–"
            lines.append(f"| {k} | {name} | {one:.0f} | {1e3 / one:.2f} | {gain} | {limit} | {share} |")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    """Measure, print the tables, and write `pace.json`."""
    parser = argparse.ArgumentParser(prog="benchmarks pace", description=__doc__.splitlines()[0])
    parser.add_argument("--planted", type=int, nargs=3, default=[50_000, 5_000, 400_000], metavar="N")
    parser.add_argument("--factors", type=int, nargs="+", default=[64, 100, 128])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--loops", type=int, default=100_000, help="rounds of the loop that only does arithmetic")
    parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER")
    options = parser.parse_args(arguments)
    data = synthetic(*options.planted, rng=0)
    compute = {str(n): compute_speed(n, options) for n in dict.fromkeys((1, options.threads))}
    result: dict[str, Any] = {
        "machine": {**machine(), **versions()},
        "settings": {name: value for name, value in vars(options).items() if name != "out"},
        "compute": compute,
        "factors": {str(k): measure(data, k, compute["1"], options) for k in options.factors},
    }
    print(f"\n{data!r}\n\n{tables(result)}")
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "pace.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
