"""Show the estimates of `vsenumba plan` for sets of up to 10^11 pairs, and compare estimates with measurements.

    python -m benchmarks plan --measured cluster.json --out FOLDER

The sets have 0.15 images per pair, as in Open Images. The number of labels grows with the square root of the number of
pairs, with 20,000 labels at 60 million pairs. ``cluster.json`` is an output of `python -m benchmarks cluster`.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.planted_runs import markdown
from benchmarks.scale import OPENIMAGES
from vsenumba import ImageAnnotator
from vsenumba.experiments import Size, plan

#: The largest factor by which a plan should differ from a measurement.
FACTOR = 1.5


def main(arguments: Sequence[str]) -> None:
    """Plan, print a table, and write `plan.json`, ``.png`` and ``.svg``."""
    parser = argparse.ArgumentParser(prog="benchmarks plan", description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=float, nargs="+", default=[10.0**power for power in range(6, 12)])
    parser.add_argument("--workers", type=int, nargs="+", default=[4, 16, 64, 256])
    parser.add_argument("--inputs", default="ids")
    parser.add_argument("--bandwidth", type=float, default=1.25e9, help="bytes a second")
    parser.add_argument("--measured", type=Path, help="cluster.json")
    parser.add_argument("--out", type=Path, default=Path())
    options = parser.parse_args(arguments)
    rows = []
    for n_pairs in map(int, options.pairs):
        share = n_pairs / OPENIMAGES.n_pairs
        size = Size(round(OPENIMAGES.n_images * share), round(OPENIMAGES.n_labels * math.sqrt(share)), n_pairs)
        for n_workers in options.workers:
            found = plan(size, ImageAnnotator(options.inputs), n_workers=n_workers, bandwidth=options.bandwidth)
            for one in found.estimates if n_workers == options.workers[0] else found.estimates[1:]:
                rows.append(asdict(size) | asdict(one))
    print(markdown(["pairs", "labels", "where", "seconds", "sending", "GB of memory"], list(map(_cells, rows))))
    measured = [] if options.measured is None else json.loads(options.measured.read_text())
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "plan.json").write_text(json.dumps({"inputs": options.inputs, "planned": rows}, indent=1))
    from vsenumba import save_figure

    figure = _figure(rows, measured, options.inputs)
    for ending in ("png", "svg"):
        save_figure(figure, options.out / f"plan.{ending}")


def _cells(row: dict[str, Any]) -> list[str]:
    memory = f"{row['memory'] / 1e9:,.1f}{'' if row['fits'] else ' (too much here)'}"
    return [f"{row['n_pairs']:,}", f"{row['n_labels']:,}", row["where"], f"{row['seconds']:,.3g}",
            f"{row['sending']:.0%}", memory]  # fmt: skip


def _figure(rows: list[dict[str, Any]], measured: list[dict[str, Any]], inputs: str) -> Any:
    """Draw seconds per epoch against pairs for each place, and measured seconds against planned seconds."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    from vsenumba.plotting.style import FULL_WIDTH, RC

    with mpl.rc_context(RC):
        figure = Figure(figsize=(FULL_WIDTH, 2.9), layout="constrained")
        left, right = figure.subplots(1, 2)
        for number, where in enumerate(dict.fromkeys(row["where"] for row in rows)):
            line = [row for row in rows if row["where"] == where]
            pairs, seconds = [row["n_pairs"] for row in line], [row["seconds"] for row in line]
            left.plot(pairs, seconds, color=f"C{number}", linewidth=1.2, label=where)
            for row in line:
                face = f"C{number}" if row["fits"] else "white"
                left.plot(row["n_pairs"], row["seconds"], "o", color=f"C{number}", markersize=3.5, markerfacecolor=face)
        left.set(
            xscale="log", yscale="log", xlabel="pairs", ylabel="planned seconds an epoch", title=f"inputs: {inputs}"
        )
        left.legend(frameon=False, title="hollow: too much memory")
        _draw_measured(right, measured)
    return figure


def _draw_measured(axes: Any, measured: list[dict[str, Any]]) -> None:
    """Draw measurements against plans, with lines at a factor of 1.5."""
    axes.set(xscale="log", yscale="log", xlabel="planned seconds an epoch", ylabel="measured seconds an epoch")
    if not measured:
        return
    ends = [min(one["planned_seconds"] for one in measured) / 2, max(one["planned_seconds"] for one in measured) * 2]
    axes.plot(ends, ends, color="0.6", linewidth=0.8)
    for factor in (FACTOR, 1 / FACTOR):
        axes.plot(ends, [factor * end for end in ends], color="0.6", linewidth=0.6, linestyle=":")
    for number, n_workers in enumerate(sorted({one["workers"] for one in measured})):
        some = [one for one in measured if one["workers"] == n_workers]
        name = "this machine" if not n_workers else "1 worker" if n_workers == 1 else f"{n_workers} workers"
        axes.plot(
            [one["planned_seconds"] for one in some], [one["seconds"] for one in some], "os^Dv"[number % 5],
            color=f"C{number}", markersize=4, label=name,
        )  # fmt: skip
    axes.legend(frameon=False, title=f"dotted: {FACTOR} times")
