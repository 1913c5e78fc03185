"""A comparison as a table for people, narrow enough for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vsenumba.cli.output import Styled, table

if TYPE_CHECKING:
    from vsenumba.experiments import Comparison


def comparison_table(comparison: Comparison) -> Styled:
    """Return a row per sampler, what the columns mean, and a row per reference model."""
    metric = comparison.metric
    rival = comparison.warp
    shown = metric.upper() if "@" not in metric else metric
    header = ["sampler", "loss", f"best {shown}", "seconds", "M steps/s"]
    if rival:
        header[4:4] = ["to WARP", "speed-up"]
    rows = []
    for sampler in comparison.samplers:
        runs = comparison.runs_of(sampler)
        best = [run.best(metric) for run in runs]
        own = [run.seconds_to(metric, value) for run, value in zip(runs, best, strict=True)]
        rates = [run.history[-1]["steps"] / run.history[-1]["seconds"] / 1e6 for run in runs]
        row = [sampler, runs[0].loss, _with_range(best), _seconds(own), f"{np.median(rates):.2f}"]
        if rival:
            faster = [factor for factor in comparison.speed_up(sampler, rival) if factor is not None]
            reached = _seconds(comparison.seconds_to_reach(sampler, rival))
            row[4:4] = [reached, f"{np.median(faster):.1f}x" if faster else "-"]
        rows.append(row)
    parts = [table(header, rows, "llr" + "r" * (len(header) - 3)), *_legend(comparison, shown, rival is not None)]
    references = [[name, f"{value:.3f}"] for name, value in comparison.reference_values(metric).items()]
    if references:
        parts += ["", table(["reference model, not trained by steps", shown], references, "lr")]
    return Styled("\n".join(parts))


def _legend(comparison: Comparison, shown: str, with_rival: bool) -> list[str]:
    data, n_seeds = comparison.settings["data"], comparison.settings["n_seeds"]
    lines = [
        "",
        "One label of every image with two or more was hidden. Half of these labels",
        f"chose each run's best epoch; the values are of the others, {data['n_test_pairs']:,} labels.",
        f"seconds: of training, until the run's best {shown} was reached.",
    ]
    if with_rival:
        lines += [
            "to WARP: until WARP's best was reached, '-' if it never was, (1/3) if by 1 run of 3.",
            "speed-up: how many times sooner than by WARP itself.",
        ]
    if n_seeds > 1:
        lines.append(f"All are medians of {n_seeds} runs that differ in their seed; in brackets is the range.")
    return lines


def _with_range(values: Sequence[float]) -> str:
    text = f"{np.median(values):.3f}"
    return text if len(values) == 1 else f"{text} ({min(values):.3f}-{max(values):.3f})"


def _seconds(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    seconds = float(np.median(known))
    text = f"{seconds:.3f}" if seconds < 10 else f"{seconds:.1f}"
    return text if len(known) == len(values) else f"{text} ({len(known)}/{len(values)})"
