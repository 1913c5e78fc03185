"""A comparison as a table that fits a terminal of 80 columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vsenumba.cli.output import Styled, table
from vsenumba.evaluation.metrics import shown_metric

if TYPE_CHECKING:
    from vsenumba.experiments import Comparison


def comparison_table(comparison: Comparison) -> Styled:
    """Return a table with a row per sampler, a legend, and a table with a row per reference model."""
    metric = comparison.metric
    rival = comparison.warp
    shown = shown_metric(metric)
    # Use a value that all runs reach; most runs never reach the best value of the best run.
    target = comparison.lowest_best()
    header = [
        "sampler",
        "loss",
        f"best {shown}",
        "s to best",
        f"s to {target:.3f}",
        *(["speed-up"] * (rival is not None)),
    ]
    theirs = _seconds_to(comparison, rival, target) if rival else None
    rows = []
    for sampler in comparison.samplers:
        runs = comparison.runs_of(sampler)
        best = [run.best(metric) for run in runs]
        own = [run.seconds_to(metric, value) for run, value in zip(runs, best, strict=True)]
        reached = _seconds_to(comparison, sampler, target)
        rates = [run.history[-1]["steps"] / run.history[-1]["seconds"] / 1e6 for run in runs]
        faster = [] if theirs is None else [f"{_median(theirs) / _median(reached):.1f}x"]
        rows.append([sampler, runs[0].loss, _with_range(best), _seconds(own), _seconds(reached), *faster])
        rows[-1].append(f"{np.median(rates):.2f}")
    header.append("M steps/s")
    parts = [table(header, rows, "ll" + "r" * (len(header) - 2)), *_legend(comparison, shown, header[4])]
    references = [[name, f"{value:.3f}"] for name, value in comparison.reference_values(metric).items()]
    if references:
        parts += ["", table(["reference model (no epochs)", shown], references, "lr")]
    if comparison.groups is not None:
        parts += ["", f"{shown_metric(comparison.groups['metric'])} by number of training images per label", ""]
        parts.append(_groups_table(comparison.groups))
    return Styled("\n".join(parts))


def _groups_table(groups: Mapping[str, Any]) -> Styled:
    """Return a table with a row per sampler and reference model, and a column per range of training images."""
    rows = [["labels", *map(str, groups["n_labels"])], ["held-out pairs", *map(str, groups["n_test_pairs"])]]
    for name, runs in groups["values"].items():
        rows.append([name, *(f"{value:.3f}" for value in np.median(runs, axis=0))])
    # Each range begins where the previous one ends, so the header shows only its upper end.
    header = ["sampler or model", *(re.sub(".*–", "≤", name) for name in groups["names"])]
    return table(header, rows, "l" + "r" * len(groups["names"]))


def _legend(comparison: Comparison, shown: str, reaching: str) -> list[str]:
    data, n_seeds = comparison.settings["data"], comparison.settings["n_seeds"]
    lines = [
        "",
        "One label of every image with two or more labels was held out. Half of these",
        f"labels selected each run's best epoch; the table is for the other {data['n_test_pairs']:,}.",
        f"s to best: training time in seconds to the run's best {shown}.",
        f"{reaching}: training time to this {shown}, which every run reached.",
    ]
    if comparison.warp:
        lines.append(f"speed-up: time of WARP to this {shown}, divided by the sampler's time.")
    lines.append("M steps/s: million training steps per second.")
    if n_seeds > 1:
        lines.append(f"Values are medians of {n_seeds} runs with different seeds, with the range in brackets.")
    return lines


def _with_range(values: Sequence[float]) -> str:
    text = f"{np.median(values):.3f}"
    return text if len(values) == 1 else f"{text} ({min(values):.3f}-{max(values):.3f})"


def _seconds_to(comparison: Comparison, sampler: str, value: float) -> list[float | None]:
    return [run.seconds_to(comparison.metric, value) for run in comparison.runs_of(sampler)]


def _median(seconds: Sequence[float | None]) -> float:
    """Return the median; NaN if a run never reached the value, which happens only if the value is NaN."""
    return float(np.median([np.nan if one is None else one for one in seconds]))


def _seconds(values: Sequence[float | None]) -> str:
    seconds = _median(values)
    return f"{seconds:.3f}" if seconds < 10 else f"{seconds:.1f}"
