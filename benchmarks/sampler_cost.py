"""Measure the time of a training step with each sampler.

    python -m benchmarks sampler-cost --out FOLDER

There are two measurements, each with one thread by default.

*By number of labels.* The compiled training loop runs on planted tables without changing them (the learning rate is 0).
The vector of every image is twice the sum of its labels' vectors, so WARP has to search about as long as in a
half-trained model. The refresh of the adaptive sampler is timed separately and added at the paper's rate of one refresh
per L ln L draws. Actual training refreshes less often from the second epoch on.

*Training.* Whole epochs with the uniform and the adaptive sampler on a planted set, refreshes included, in turns. The
ratio is that of the medians.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import numba
import numpy as np

import vsenumba as vse
from benchmarks.machine import machine
from vsenumba.losses import LogisticLoss
from vsenumba.samplers import SAMPLERS, Sampler
from vsenumba.training.annotation.absences import NoAbsences
from vsenumba.training.annotation.epoch import run_launch
from vsenumba.training.annotation.inputs import as_inputs
from vsenumba.training.annotation.layout import TRIALS, block_states, work_space
from vsenumba.training.optimisers import RowAdagrad

LABELS_PER_IMAGE = 8
SHARDS = 32


def main(arguments: list[str]) -> None:
    """Measure, print, and write `sampler-cost.json`, ``.png`` and ``.svg``."""
    parser = argparse.ArgumentParser(prog="benchmarks sampler-cost", description=__doc__.splitlines()[0])
    parser.add_argument("--labels", type=int, nargs="*", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--factors", type=int, default=64)
    parser.add_argument("--training-labels", type=int, default=5_000)
    parser.add_argument("--training-images", type=int, default=60_000)
    parser.add_argument("--training-factors", type=int, nargs="*", default=[64, 128])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=0.5, help="minimum time of a measurement")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path())
    options = parser.parse_args(arguments)
    numba.set_num_threads(options.threads)
    costs = [against_labels(n, options) for n in options.labels]
    ratios = [training_ratio(k, inputs, options) for k in options.training_factors for inputs in ("ids", "labels")]
    options.out.mkdir(parents=True, exist_ok=True)
    result = {"machine": machine(), "threads": options.threads, "against_labels": costs, "training": ratios}
    (options.out / "sampler-cost.json").write_text(json.dumps(result, indent=1))
    if costs:
        figure = cost_figure(costs, options.factors)
        for ending in ("png", "svg"):
            vse.save_figure(figure, options.out / f"sampler-cost.{ending}")


def samplers_for(n_labels: int) -> dict[str, Sampler]:
    """Return the samplers to measure: all, with WARP both unlimited and with LightFM's limit."""
    chosen: dict[str, Sampler] = {name: sampler() for name, sampler in SAMPLERS.items()}
    return chosen | {"warp": vse.WarpSampler(max_trials=None), "warp, 10 trials": vse.WarpSampler(max_trials=10)}


def against_labels(n_labels: int, options: argparse.Namespace) -> dict[str, Any]:
    """Return the nanoseconds per step of each sampler at a number of labels."""
    rng = np.random.default_rng(0)
    n_images = 20_000
    labels = (rng.standard_normal((n_labels, options.factors)) / np.sqrt(options.factors)).astype(np.float32)
    popularity = 1 / np.arange(1, n_labels + 1)
    # Draw more labels than needed, because an image may draw a label twice.
    drawn = rng.choice(n_labels, (n_images, 2 * LABELS_PER_IMAGE), p=popularity / popularity.sum())
    lists = [np.sort(np.unique(row)[:LABELS_PER_IMAGE]) for row in drawn]
    indptr = np.concatenate(([0], np.cumsum([len(row) for row in lists])))
    indices = np.concatenate(lists).astype(np.int32)
    images = np.stack([2 * labels[row].sum(axis=0) for row in lists])
    counts = np.bincount(indices, minlength=n_labels)
    print(f"{n_labels:,} labels, k = {options.factors}")
    measured = {}
    for name, sampler in samplers_for(n_labels).items():
        state = sampler.state(counts, options.factors, SHARDS)
        refresh = _median_seconds(lambda s=sampler, t=state: s.refresh(t, labels), 3)
        step, trials = _step_seconds(state, images, labels, indptr, indices, options)
        interval = sampler.refresh_interval(n_labels, epoch=1)
        measured[name] = {
            "step_ns": step * 1e9,
            "refresh_ns": refresh / interval * 1e9 if interval else 0.0,
            "trials": trials,
        }
        line = measured[name]
        step_ns, refresh_ns = line["step_ns"], line["refresh_ns"]
        print(f"  {name:16} {step_ns:12.0f} ns a step + {refresh_ns:.0f} ns of refresh, {trials:.1f} trials")
    return {"n_labels": n_labels, "samplers": measured}


def _step_seconds(
    state: Any, images: np.ndarray, labels: np.ndarray, indptr: np.ndarray, indices: np.ndarray, options: Any
) -> tuple[float, float]:
    """Return the median seconds per step, and the mean number of trials."""
    rng = np.random.default_rng(1)
    optimiser = RowAdagrad()
    tables, memory = {"image_factors": images}, {"image_factors": optimiser.fresh_sums(len(images))}
    feeds = as_inputs("ids").feeds(tables, memory, vse.AnnotationSet(indptr, indices, len(labels)), 0.0)
    inputs, parts = [feed.state for feed in feeds], np.zeros(0, np.uint8)
    sums = optimiser.fresh_sums(len(labels))
    work = work_space(SHARDS, labels.shape[1])
    states = block_states(np.random.SeedSequence(0), SHARDS)
    loss = LogisticLoss().state(len(labels))

    def run(n_images: int) -> int:
        order = rng.permutation(len(images))[:n_images]
        bounds = np.linspace(0, n_images, SHARDS + 1).astype(np.int64)
        run_launch(
            order, bounds, parts, indptr, indices, labels, sums, *inputs, state, loss, optimiser.state(),
            np.zeros(2, np.float32), np.float32(0), 1, states, work, NoAbsences(0.0),
        )  # fmt: skip
        return int((indptr[order + 1] - indptr[order]).sum())

    run(1)
    n_images, took = 1, 0.0
    while took < options.seconds / 2 and n_images < len(images):
        n_images = min(4 * n_images, len(images))
        started = time.perf_counter()
        run(n_images)
        took = time.perf_counter() - started
    work.tally[:] = 0
    seconds, pairs = [], 0
    for _ in range(options.repeats):
        started = time.perf_counter()
        n = run(n_images)
        seconds.append((time.perf_counter() - started) / n)
        pairs += n
    return statistics.median(seconds), float(work.tally[:, TRIALS].sum() / pairs)


def _median_seconds(function: Any, repeats: int) -> float:
    function()
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def training_ratio(n_factors: int, inputs: str, options: argparse.Namespace) -> dict[str, Any]:
    """Return the training time per step with the uniform and the adaptive sampler, and the ratio."""
    n_images = options.training_images
    n_pairs = LABELS_PER_IMAGE * n_images
    data = vse.synthetic(n_images, options.training_labels, n_pairs, rng=0)
    step_ns: dict[str, list[float]] = {"uniform": [], "adaptive": []}
    for _ in range(max(1, options.repeats // 2)):
        for name, seconds in step_ns.items():
            model = vse.ImageAnnotator(
                inputs=inputs,
                n_factors=n_factors,
                sampler=name,
                n_epochs=options.epochs,
                max_neighbours=0,
                n_threads=options.threads,
            )
            last = model.fit(data).history_[-1]
            seconds.append(last["seconds"] / last["steps"] * 1e9)
    medians = {name: statistics.median(values) for name, values in step_ns.items()}
    ratio = medians["adaptive"] / medians["uniform"]
    print(
        f"training, {options.training_labels:,} labels, k = {n_factors}, inputs {inputs}, {options.epochs} epochs: "
        f"uniform {medians['uniform']:.0f} ns a step, adaptive {medians['adaptive']:.0f}, ratio {ratio:.2f}"
    )
    return {
        "n_factors": n_factors,
        "inputs": inputs,
        "n_labels": options.training_labels,
        "ns": step_ns,
        "ratio": ratio,
    }


def cost_figure(costs: list[dict[str, Any]], n_factors: int) -> Any:
    """Draw nanoseconds per step against the number of labels, with logarithmic axes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    from vsenumba.plotting.style import RC, looks

    with mpl.rc_context(RC):
        figure = Figure(figsize=(5.2, 3.4), layout="constrained")
        axes = figure.subplots()
        x = [cost["n_labels"] for cost in costs]
        names = list(costs[0]["samplers"])
        ends = []
        for name in names:
            look = looks(names)[name]
            rows = [cost["samplers"][name] for cost in costs]
            y = [row["step_ns"] + row["refresh_ns"] for row in rows]
            axes.plot(x, y, color=look.color, linestyle=look.linestyle, marker=look.marker, markersize=3.5, label=name)
            ends.append((y[-1], name))
        axes.set(xscale="log", yscale="log", xlabel="labels", ylabel="nanoseconds a step, refresh included")
        order = [name for _, name in sorted(ends, reverse=True)]
        handles, found = axes.get_legend_handles_labels()
        by_name = dict(zip(found, handles, strict=True))
        axes.legend([by_name[name] for name in order], order, frameon=False, loc="upper left")
        axes.set_title(f"Cost of a training step, k = {n_factors}, one thread", loc="left")
    return figure
