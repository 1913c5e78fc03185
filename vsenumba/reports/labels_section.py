"""The sections on labels: scores by popularity, and the labels that are scored best and worst."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vsenumba.evaluation import GroupScores
from vsenumba.evaluation.metrics import shown_metric
from vsenumba.printable import counted, printable
from vsenumba.reports.charts import Charts, Series, legend_of, line_chart, range_names, styles_of
from vsenumba.reports.held_out import HeldOut
from vsenumba.reports.opened import Opened
from vsenumba.reports.parts import Pair, Section, Text
from vsenumba.reports.svg import Axis, linear_axis
from vsenumba.reports.table import Column, Table, Value

# Of more labels the tables have the best and the worst.
ENDS = 20
# Metrics that two tables side by side have room for.
_SIDE_BY_SIDE = 2

_NOT_COMPARED = "The samplers were not compared by popularity; 'vsenumba compare ... --by popularity' does it."


def popularity_section(opened: Opened, held_out: HeldOut | str) -> Section:
    """Return the section on scores by how many training images a label has."""
    items: list[Any] = []
    if opened.comparison is not None and opened.comparison.groups is not None:
        items += _compared(opened.comparison.groups, opened.comparison.samplers)
    elif opened.comparison is not None:
        items.append(Text(_NOT_COMPARED))
    if isinstance(held_out, HeldOut):
        if opened.comparison is not None:
            items.append(Text(f"The best model: {held_out.how}"))
        items += _of_one(held_out.by_popularity, with_chart=not items or isinstance(items[0], Text))
    elif opened.comparison is None or opened.comparison.groups is None:
        items.append(Text(held_out))
    return Section("popularity", "By popularity of the label", items)


def labels_section(held_out: HeldOut | str) -> Section:
    """Return the section on the best and the worst labels."""
    title = "Best and worst labels"
    if not isinstance(held_out, HeldOut):
        return Section("labels", title, [Text(held_out)])
    groups = held_out.by_label
    metric = next(iter(groups.micro))
    values = groups.micro[metric]
    defined = np.flatnonzero(np.isfinite(values))
    # Of equal labels the one with more held-out pairs says more, at either end.
    best = defined[np.lexsort((-groups.n_test_pairs[defined], -values[defined]))]
    worst = defined[np.lexsort((-groups.n_test_pairs[defined], values[defined]))]
    shown = shown_metric(metric)
    note = Text(
        f"{counted(len(groups.names), 'label')} with a held-out pair, by mean {shown} over these. {held_out.how}"
    )
    if len(best) <= 2 * ENDS:
        return Section("labels", title, [note, _table("labels", f"All labels by {shown}", groups, best)])
    tables = [
        _table("best-labels", f"The {ENDS} best by {shown}", groups, best[:ENDS], most=_SIDE_BY_SIDE),
        _table("worst-labels", f"The {ENDS} worst by {shown}", groups, worst[:ENDS], most=_SIDE_BY_SIDE),
    ]
    every = Text("For all of them: 'vsenumba evaluate MODEL SET --by label -o labels.csv', with pairs it has not seen.")
    return Section("labels", title, [note, Pair(tables), every])


def _table(
    key: str, caption: str, groups: GroupScores, rows: Sequence[int] | np.ndarray, most: int | None = None
) -> Table:
    metrics = dict(list(groups.micro.items())[:most])
    columns = [Column("label"), Column("training images", 0), Column("held-out pairs", 0)]
    columns += [Column(shown_metric(name), 3) for name in metrics]
    cells: list[list[Value]] = [
        [
            groups.names[i],
            int(groups.n_train_pairs[i]),
            int(groups.n_test_pairs[i]),
            *(float(values[i]) for values in metrics.values()),
        ]
        for i in rows
    ]
    return Table(key, caption, columns, cells)


def _of_one(groups: GroupScores, *, with_chart: bool) -> list[Any]:
    metric = next(iter(groups.micro))
    columns = [Column("training images"), Column("labels", 0), Column("held-out pairs", 0)]
    columns += [Column(shown_metric(name), 3) for name in groups.micro]
    columns.append(Column(f"{shown_metric(metric)}, mean over labels", 3))
    rows: list[list[Value]] = [
        [
            name,
            int(groups.n_labels[i]),
            int(groups.n_test_pairs[i]),
            *(float(values[i]) for values in groups.micro.values()),
            float(groups.macro[metric][i]),
        ]
        for i, name in enumerate(groups.names)
    ]
    pairs: list[Value] = [
        "all",
        int(groups.n_labels.sum()),
        int(groups.n_test_pairs.sum()),
        *(float(value) for value in groups.micro_mean.values()),
        float(groups.macro_mean[metric]),
    ]
    items: list[Any] = []
    if with_chart and len(groups.names) > 1:
        items += _charts(groups.names, {"model": [groups.micro[metric]]}, metric, ["model"])
    table = Table("popularity", "The model by the training images of a label", columns, [*rows, pairs])
    return [*items, table]


def _compared(groups: Mapping[str, Any], samplers: Sequence[str]) -> list[Any]:
    metric, names = str(groups["metric"]), list(groups["names"])
    values = {name: np.asarray(runs, dtype=float) for name, runs in groups["values"].items() if runs}
    columns = [Column("sampler or model"), *(Column(name, 3) for name in names)]
    sizes: list[list[Value]] = [[what, *map(int, groups[key])] for what, key in _SIZES.items()]
    rows: list[list[Value]] = [
        [name, *(float(value) for value in np.median(runs, axis=0))] for name, runs in values.items()
    ]
    drawn = {name: list(runs) for name, runs in values.items() if name in samplers}
    count_columns = [Column("training images of a label"), *(Column(name, 0) for name in names)]
    return [
        *(_charts(names, drawn, metric, samplers) if len(names) > 1 else []),
        Table("compared-popularity", f"{shown_metric(metric)} by the training images of a label", columns, rows),
        Table("sizes-popularity", "How many labels and pairs these are", count_columns, sizes),
    ]


_SIZES = {"labels": "n_labels", "training pairs": "n_train_pairs", "held-out pairs": "n_test_pairs"}


def _charts(
    names: Sequence[str], values: Mapping[str, Sequence[np.ndarray]], metric: str, all_names: Sequence[str]
) -> list[Charts]:
    """Return a chart with a curve for each sampler over the ranges of popularity."""
    styles = styles_of(list(all_names))
    series, largest = [], 0.0
    for name, runs in values.items():
        table = np.asarray(runs, dtype=float)
        there = np.flatnonzero(np.isfinite(table).all(axis=0))
        middle = np.median(table[:, there], axis=0)
        tips = [
            f"{printable(name)}, {names[int(i)]} training images: {shown_metric(metric)} {value:.4f}"
            for i, value in zip(there, middle, strict=True)
        ]
        low, high = table[:, there].min(axis=0), table[:, there].max(axis=0)
        largest = max(largest, float(high.max(initial=0)))
        series.append(Series(name, there + 0.5, middle, tips, low, high))
    if not largest or not math.isfinite(largest):
        return []
    across = Axis(
        0, len(names), "training images of a label", [(i + 0.5, name) for i, name in enumerate(range_names(names))]
    )
    y = linear_axis([largest], shown_metric(metric), from_zero=True)
    chart = line_chart(f"{shown_metric(metric)} by the training images of a label", series, across, y, styles)
    return [Charts([chart], legend_of(list(values), styles) if len(values) > 1 else [])]
