"""Scores by label or by popularity, as a table for people or as rows for programs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from vsenumba.cli.measured import value_text
from vsenumba.cli.output import Styled, table

if TYPE_CHECKING:
    from vsenumba.evaluation import GroupScores

# If there are more labels, the table shows this many of the best and of the worst.
ENDS = 5

_TITLES = {
    "label": "label",
    "popularity": "training images",
    "n_labels": "labels",
    "n_train_pairs": "training pairs",
    "n_test_pairs": "test pairs",
}


def group_rows(groups: GroupScores) -> list[dict[str, Any]]:
    """Return a row per group: ranges in ascending order, labels from best to worst by the first metric.

    For equal values, the label with more test pairs comes first. Labels without a value come last.
    """
    import numpy as np

    columns = {name: np.asarray(column).tolist() for name, column in groups.to_columns().items()}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if groups.by == "label":
        metric = next(iter(groups.micro))
        rows.sort(key=lambda row: (math.isnan(row[metric]), -row[metric], -row["n_test_pairs"]))
    return rows


def groups_table(groups: GroupScores) -> Styled:
    """Return a table of the groups (the best and the worst of many labels) and of the means over pairs and labels."""
    rows = group_rows(groups)
    metrics = list(groups.micro)
    numbers = [name for name in rows[0] if name in _TITLES and name != groups.by]
    lines = [
        [row[groups.by], *(f"{row[name]:,}" for name in numbers), *(value_text(row[name], 3) for name in metrics)]
        for row in rows
    ]
    if groups.by == "label" and len(lines) > 2 * ENDS + 1:
        lines[ENDS:-ENDS] = [[f"... {len(lines) - 2 * ENDS:,} more", *([""] * (len(numbers) + len(metrics)))]]
    for name, means in (("mean over pairs", groups.micro_mean), ("mean over labels", groups.macro_mean)):
        lines.append([name, *([""] * len(numbers)), *(value_text(value, 3) for value in means.values())])
    header = [_TITLES[groups.by], *(_TITLES[name] for name in numbers), *metrics]
    return table(header, lines, "l" + "r" * (len(header) - 1))
