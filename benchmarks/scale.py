"""Measure the time and memory of training by the size of the set.

    python -m benchmarks scale --threads 2 --out FOLDER

There are two measurements on planted sets. Each run has its own process, which loads the set from its file.

*By number of pairs*, with 0.15 images per pair, as in Open Images. The number of labels grows with the square root of
the number of pairs, as vocabularies do, up to the 20,000 labels of Open Images at 60 million pairs.

*By number of labels*, with a fixed number of pairs.

Peak memory is that of the whole process. The bound in the table is 1.25 times the factors and the optimiser's sums,
plus 1 GB for Python, Numba, the pairs and the order of visits.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.planted_runs import PlantedRuns, Size, markdown, sets_folder

OPENIMAGES = Size(9_000_000, 20_000, 60_000_000)


def main(arguments: Sequence[str]) -> None:
    """Measure, print, and write `scale.json`, ``.png`` and ``.svg``."""
    parser = argparse.ArgumentParser(prog="benchmarks scale", description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, nargs="*", default=[100_000, 1_000_000, 10_000_000, 60_000_000])
    parser.add_argument("--labels", type=int, nargs="*", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--label-pairs", type=int, default=5_000_000, help="number of pairs of the sets for --labels")
    parser.add_argument("--inputs", nargs="+", default=["ids", "labels"])
    parser.add_argument("--samplers", nargs="+", default=["uniform", "adaptive"])
    parser.add_argument("--factors", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sets", type=Path, help="folder of the planted sets; temporary by default")
    parser.add_argument("--out", type=Path, default=Path())
    options = parser.parse_args(arguments)
    with sets_folder(options.sets) as folder:
        runs = PlantedRuns(folder)
        by_pairs = _measure(runs, [_like_openimages(n) for n in options.pairs], "n_pairs", options)
        wide = [Size(round(0.15 * options.label_pairs), n, options.label_pairs) for n in options.labels]
        by_labels = _measure(runs, wide, "n_labels", options)
    options.out.mkdir(parents=True, exist_ok=True)
    result = {"machine": machine(), "threads": options.threads, "against_pairs": by_pairs, "against_labels": by_labels}
    (options.out / "scale.json").write_text(json.dumps(result, indent=1))
    if by_pairs and by_labels:
        from vsenumba import save_figure

        figure = _figure(by_pairs, by_labels, options)
        for ending in ("png", "svg"):
            save_figure(figure, options.out / f"scale.{ending}")


def _like_openimages(n_pairs: int) -> Size:
    share = n_pairs / OPENIMAGES.n_pairs
    labels = round(OPENIMAGES.n_labels * min(1, math.sqrt(share)))
    return Size(round(OPENIMAGES.n_images * share), labels, n_pairs)


def _measure(runs: PlantedRuns, sizes: list[Size], axis: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    rows = []
    for inputs in options.inputs:
        for sampler in options.samplers:
            for size in sizes:
                row = runs.train(
                    size,
                    inputs=inputs,
                    sampler=sampler,
                    n_factors=options.factors,
                    n_negatives=1,
                    n_epochs=options.epochs,
                    n_threads=options.threads,
                )
                rows.append(row)
    if not rows:
        return rows
    header = [axis[2:], "inputs", "sampler", "images", "labels", "s/epoch", "M steps/s", "ns/step", "load s"]
    print(markdown([*header, "prepare s", "peak GB", "bound GB"], [_line(row, axis) for row in rows]), "\n")
    return rows


def _line(row: dict[str, Any], axis: str) -> list[str]:
    cells = [f"{row[axis]:,}", row["inputs"], row["sampler"], f"{row['n_images']:,}", f"{row['n_labels']:,}"]
    numbers = [row["epoch_seconds"], row["steps_per_second"] / 1e6, 1e9 / row["steps_per_second"]]
    numbers += [row["load_seconds"], row["prepare_seconds"], row["peak_bytes"] / 1e9, row["bound_bytes"] / 1e9]
    return cells + [f"{number:.3g}" for number in numbers]


def _figure(by_pairs: list[dict[str, Any]], by_labels: list[dict[str, Any]], options: argparse.Namespace) -> Any:
    """Draw seconds per epoch and peak memory against pairs, and nanoseconds per step against labels."""
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullFormatter

    from vsenumba.plotting.style import FULL_WIDTH, RC
    from vsenumba.plotting.ticks import label_log_axis

    panels = (
        (by_pairs, "n_pairs", "pairs", lambda row: row["epoch_seconds"], "seconds an epoch"),
        (by_pairs, "n_pairs", "pairs", lambda row: row["peak_bytes"] / 1e9, "peak memory, GB"),
        (by_labels, "n_labels", "labels", lambda row: 1e9 / row["steps_per_second"], "nanoseconds a step"),
    )
    with mpl.rc_context(RC):
        figure = Figure(figsize=(FULL_WIDTH, 2.4), layout="constrained")
        for axes, (rows, x, x_name, value, y_name) in zip(figure.subplots(1, 3), panels, strict=True):
            _draw(axes, rows, x, value)
            axes.set(xscale="log", yscale="log", xlabel=x_name, ylabel=y_name)
            axes.xaxis.set_minor_formatter(NullFormatter())
            label_log_axis(axes.yaxis)
        handles, names = axes.get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper center", ncols=len(names), frameon=False)
    return figure


def _draw(axes: Any, rows: list[dict[str, Any]], x: str, value: Any) -> None:
    """Draw a line for every input and sampler, in the colour of the sampler; dashed with hollow markers for ids."""
    from vsenumba.plotting.style import looks

    for inputs, sampler in dict.fromkeys((row["inputs"], row["sampler"]) for row in rows):
        line = [row for row in rows if (row["inputs"], row["sampler"]) == (inputs, sampler)]
        look, ids = looks([sampler])[sampler], inputs == "ids"
        axes.plot(
            [row[x] for row in line],
            [value(row) for row in line],
            color=look.color,
            linestyle="--" if ids else "-",
            marker=look.marker,
            markersize=3.5,
            markerfacecolor="white" if ids else look.color,
            label=f"{inputs}, {sampler}",
        )
