"""The section on the results: a table of the samplers, or of the metrics of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vsenumba.errors import VsenumbaError
from vsenumba.evaluation import parse_metric
from vsenumba.evaluation.metrics import shown_metric
from vsenumba.experiments import Comparison, Run
from vsenumba.printable import counted, printable
from vsenumba.reports.charts import sample_of, styles_of
from vsenumba.reports.held_out import HeldOut
from vsenumba.reports.opened import Opened
from vsenumba.reports.parts import Section, Text
from vsenumba.reports.table import Column, Table, Value


def recorded_metrics(comparison: Comparison) -> list[str]:
    """Return the metrics that all runs recorded on the half that reports, the one compared by first."""
    columns = [set(run.history.columns) for run in comparison.runs]
    shared = [name for name in comparison.runs[0].history.columns if all(name in one for one in columns)]
    return list(dict.fromkeys([comparison.metric, *(name for name in shared if is_metric(name))]))


def is_metric(name: str) -> bool:
    """Tell whether a column of a history is a metric."""
    try:
        parse_metric(name)
    except VsenumbaError:
        return False
    return True


def results_section(opened: Opened, held_out: HeldOut | str) -> Section:
    """Return the section."""
    if opened.comparison is not None:
        return Section("results", "Results", _of_comparison(opened.comparison))
    return Section("results", "Results", _of_model(opened, held_out))


def _of_comparison(comparison: Comparison) -> list[Any]:
    metric, rival = comparison.metric, comparison.warp
    others = [name for name in recorded_metrics(comparison) if name != metric]
    target = comparison.lowest_best()
    several = len({run.seed for run in comparison.runs}) > 1
    columns = [Column("sampler or model"), Column("loss"), Column(f"best {shown_metric(metric)}", 3)]
    columns += [Column("lowest", 3), Column("highest", 3)] if several else []
    columns += [Column(shown_metric(name), 3) for name in others]
    columns += [Column("s to best", 3), Column(f"s to {target:.3f}", 3)]
    columns += [Column("speed-up over WARP", 2)] if rival is not None else []
    columns.append(Column("million steps/s", 2))
    theirs = None if rival is None else _median([run.seconds_to(metric, target) for run in comparison.runs_of(rival)])
    rows: list[list[Value]] = []
    for sampler in comparison.samplers:
        runs = comparison.runs_of(sampler)
        best = [run.best(metric) for run in runs]
        row: list[Value] = [sampler, runs[0].loss, float(np.median(best))]
        row += [min(best), max(best)] if several else []
        row += [_median([_at_best(run, metric, name) for run in runs]) for name in others]
        reached = _median([run.seconds_to(metric, target) for run in runs])
        row += [_median([run.seconds_to(metric, value) for run, value in zip(runs, best, strict=True)]), reached]
        if rival is not None:
            row.append(theirs / reached if theirs is not None and reached else None)
        rows.append([*row, _median([run.history[-1]["steps"] / run.history[-1]["seconds"] / 1e6 for run in runs])])
    for name, values in comparison.references.items():
        row = [name, None, values.get(metric)]
        row += [None, None] if several else []
        row += [values.get(other) for other in others]
        rows.append(row + [None] * (len(columns) - len(row)))
    styles = styles_of(comparison.samplers)
    samples = [*(sample_of(styles[name]) for name in comparison.samplers), *([None] * len(comparison.references))]
    table = Table("results", "Samplers, and reference models that are not trained by steps", columns, rows, samples)
    return [table, *map(Text, _legend(comparison, target))]


def in_short(opened: Opened, held_out: HeldOut | str) -> str:
    """Return the main result in a sentence or two; empty where nothing was measured."""
    if opened.comparison is not None:
        return _who_is_best(opened.comparison)
    if isinstance(held_out, HeldOut) and not held_out.is_again:
        metric, mean = next(iter(held_out.scores.mean.items()))
        return f"{shown_metric(metric)} {mean:.3f} on {counted(held_out.test.n_pairs, 'held-out pair')}."
    if opened.measured is not None:
        metric, value = next(iter(opened.measured["metrics"].items()), ("", None))
        n_pairs = opened.measured.get("n_pairs")
        if isinstance(value, float) and isinstance(n_pairs, int):
            return f"{shown_metric(metric)} {value:.3f} on {counted(n_pairs, 'held-out pair')}."
    return ""


def _who_is_best(comparison: Comparison) -> str:
    metric, medians = comparison.metric, comparison.medians()
    order = sorted(medians, key=lambda name: -medians[name])
    said = f"The best {shown_metric(metric)} is {medians[order[0]]:.3f}, by {printable(order[0])}"
    said += f"; then {printable(order[1])} with {medians[order[1]]:.3f}." if len(order) > 1 else "."
    references = comparison.reference_values(metric)
    if references:
        best = max(references, key=lambda name: references[name])
        said += f" The best reference model, {printable(best)}, has {references[best]:.3f}."
    return said


def _legend(comparison: Comparison, target: float) -> list[str]:
    shown = shown_metric(comparison.metric)
    lines = [
        "One label of every image with two or more was held out. Half of these labels chose the best epoch of each "
        "run; the values are of the other half, at that epoch.",
        f"s to best: seconds of training until the run's best {shown}. s to {target:.3f}: until the lowest of the "
        "runs' bests." + (" Speed-up: how many times sooner than WARP that was reached." if comparison.warp else ""),
    ]
    n_seeds = len({run.seed for run in comparison.runs})
    if n_seeds > 1:
        lines.append(f"All values are medians of {counted(n_seeds, 'run')} that differ in their seed.")
    return lines


def _of_model(opened: Opened, held_out: HeldOut | str) -> list[Any]:
    """Return the metrics that were recorded with the model, and those of the report where they are others."""
    recorded = {} if opened.measured is None else dict(opened.measured["metrics"])
    scored = held_out.scores.mean if isinstance(held_out, HeldOut) else {}
    if not recorded and not scored:
        return [Text("Nothing was measured when the model was made. Give a data set with pairs that it has not seen.")]
    names = list(dict.fromkeys([*scored, *recorded]))
    is_same = all(scored.get(name) == value for name, value in recorded.items() if name in scored)
    found = [("value", {**scored, **recorded})]
    if scored and recorded and not is_same:
        again = isinstance(held_out, HeldOut) and held_out.is_again
        found = [("recorded with the model", recorded), ("trained again" if again else "on the data set", scored)]
    rows = [[shown_metric(name), *(_number(values.get(name)) for _, values in found)] for name in names]
    columns = [Column("metric"), *(Column(what, 4) for what, _ in found)]
    items: list[Any] = [Table("results", "How well held-out labels rank", columns, rows)]
    if recorded and (len(found) > 1 or not scored):
        items.append(Text(_how_recorded(opened.measured or {})))
    if isinstance(held_out, HeldOut):
        items.append(Text(f"{'On the data set: ' if len(found) > 1 else ''}{held_out.how}"))
    return items


def _how_recorded(measured: Mapping[str, Any]) -> str:
    sizes = [measured.get(name) for name in ("n_pairs", "n_images")]
    on = ""
    if all(isinstance(size, int) for size in sizes):
        on = f"on {counted(int(sizes[0] or 0), 'pair')} of {counted(int(sizes[1] or 0), 'image')} that were held out, "
    return f"Recorded with the model: {on}before it learnt from these too."


def _at_best(run: Run, metric: str, other: str) -> float:
    return float(run.history[other][run.best_epoch(metric)])


def _median(values: Sequence[float | None]) -> float | None:
    """Return the median; None if a run has no value."""
    known = [float(value) for value in values if value is not None]
    return float(np.median(known)) if known and len(known) == len(values) else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
