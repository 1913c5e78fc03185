"""A comparison as a table for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vsenumba.cli.output import table

if TYPE_CHECKING:
    from vsenumba.experiments import Comparison

RIVAL = "warp"


def comparison_table(comparison: Comparison) -> str:
    """Return a row per sampler and per reference model, and below what the columns mean."""
    metric = comparison.metric
    with_rival = RIVAL in comparison.samplers
    shown = metric.upper() if "@" not in metric else metric
    header = ["sampler", "loss", f"best {shown}", "seconds to it", "M steps/s"]
    if with_rival:
        header[4:4] = ["seconds to WARP's best", "speed-up"]
    rows = []
    for sampler in comparison.samplers:
        runs = comparison.runs_of(sampler)
        best = [run.best(metric) for run in runs]
        own = [run.seconds_to(metric, value) for run, value in zip(runs, best, strict=True)]
        rates = [run.history[-1]["steps"] / run.history[-1]["seconds"] / 1e6 for run in runs]
        row = [sampler, runs[0].loss, _with_range(best), _median(own, _seconds), f"{np.median(rates):.2f}"]
        if with_rival:
            row[4:4] = [
                _median(comparison.seconds_to_reach(sampler, RIVAL), _seconds),
                _median(comparison.speed_up(sampler, RIVAL), lambda factor: f"{factor:.1f}x"),
            ]
        rows.append(row)
    for name, value in comparison.reference_values(metric).items():
        rows.append([name, "-", f"{value:.3f}", *["-"] * (len(header) - 3)])
    return "\n".join([table(header, rows, "llr" + "r" * (len(header) - 3)), "", *_legend(comparison, with_rival)])


def _legend(comparison: Comparison, with_rival: bool) -> list[str]:
    data, n_seeds = comparison.settings["data"], comparison.settings["n_seeds"]
    lines = [
        f"Judged by {data['n_test_pairs']:,} hidden labels, each of another image. As many more chose each run's best "
        "epoch,",
        "so that no value is of labels it was chosen by. Seconds are of training alone, evaluation left out.",
    ]
    if n_seeds > 1:
        lines.append(f"Values are medians of {n_seeds} seeds, with the range in brackets.")
    if with_rival:
        lines.append(
            "'speed-up' is how many times sooner than WARP itself; 'never': WARP's best was not reached by any run."
        )
    if comparison.references:
        lines.append("'-': does not apply; the reference models are not trained by steps.")
    return lines


def _with_range(values: Sequence[float]) -> str:
    text = f"{np.median(values):.3f}"
    return text if len(values) == 1 else f"{text} ({min(values):.3f}-{max(values):.3f})"


def _median(values: Sequence[float | None], form: Callable[[float], str]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "never"
    text = form(float(np.median(known)))
    return text if len(known) == len(values) else f"{text} ({len(known)} of {len(values)} runs)"


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}" if seconds < 10 else f"{seconds:.1f}"
