"""Metrics of test pairs by label or by popularity, to see how well a model ranks rare labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vsenumba import html
from vsenumba.evaluation.ranks import Floats, Integers
from vsenumba.printable import printable

# Maximum number of printed rows.
_MOST_ROWS = 12


@dataclass(frozen=True, repr=False, eq=False)
class GroupScores:
    """The metrics of the test pairs, by label or by the number of training images of their label.

    The metric of a pair is that of an image with this one test label: the image's other test labels are left out of the
    ranking. Let s be 1 plus the number of candidates that are not test labels and score at least as high, among C
    candidates with T test labels. Then for a pair

    - ``mrr`` is ``1 / s``,
    - ``recall@k`` is 1 if ``s ≤ k``, and 0 otherwise,
    - ``auc`` is ``1 − (s − 1) / (C − T)``, and not defined if C = T.

    If every image has one test label, as after `vsenumba.leave_one_out`, a pair's value is that of its image.

    Attributes
    ----------
    by : {"label", "popularity"}
        What a group is: one label, or all labels whose number of training images lies in one range. The ranges are 0,
        1–3, 4–10, 11–30, 31–100 and so on.
    names : list of str
        The groups that have a test pair: labels in the model's order, or ranges such as ``"4–10"``.
    n_labels : (n_groups,) int64 array
        Number of labels in the group that have a test pair.
    n_train_pairs, n_test_pairs : (n_groups,) int64 arrays
        Number of training pairs and of evaluated test pairs of these labels.
    micro : dict of str to (n_groups,) float64 array
        Mean of each metric over the pairs of the group, ``Σ_p x_p / P``. Undefined values are left out; NaN if all are
        undefined.
    macro : dict of str to (n_groups,) float64 array
        Mean of each metric over the labels of the group, where the value of a label is the mean over its pairs,
        ``Σ_l (Σ_{p of l} x_p / P_l) / L``. By label, this equals `micro`.
    micro_mean, macro_mean : dict of str to float
        The same means over all pairs, and over all labels that have a test pair.

    Examples
    --------
    >>> import vsenumba as vse
    >>> train, test = vse.leave_one_out(vse.load_dataset("openclipart"), rng=0)
    >>> model = vse.PopularityAnnotator().fit(train)
    >>> vse.evaluate(model, test, exclude=train, metrics=["mrr"], by="popularity").groups
    <GroupScores by popularity
      0          25 pair(s)  mrr 0.0023
      1–3        230 pair(s)  mrr 0.0026
      4–10       248 pair(s)  mrr 0.0053
      11–30      726 pair(s)  mrr 0.0123
      31–100     774 pair(s)  mrr 0.0308
      101–300    821 pair(s)  mrr 0.0655
      301–1000   928 pair(s)  mrr 0.1867
      1001–3000  1,902 pair(s)  mrr 0.4944
      mean over labels  mrr 0.0194>
    """

    by: str
    names: list[str]
    n_labels: Integers
    n_train_pairs: Integers
    n_test_pairs: Integers
    micro: dict[str, Floats]
    macro: dict[str, Floats]
    micro_mean: dict[str, float]
    macro_mean: dict[str, float]

    def to_columns(self) -> dict[str, Sequence[str] | np.ndarray]:
        """Return the scores as columns, for a data frame.

        Returns
        -------
        dict of str to sequence
            One column for each number. By popularity, ``"macro_mrr"`` is the macro average of ``"mrr"``.
        """
        columns: dict[str, Sequence[str] | np.ndarray] = {self.by: self.names}
        if self.by != "label":
            columns["n_labels"] = self.n_labels
        columns |= {"n_train_pairs": self.n_train_pairs, "n_test_pairs": self.n_test_pairs, **self.micro}
        if self.by != "label":
            columns |= {f"macro_{name}": values for name, values in self.macro.items()}
        return columns

    def __repr__(self) -> str:
        names = [printable(name) for name in self.names[:_MOST_ROWS]]
        width = max(map(len, names))
        lines = [f"<GroupScores by {self.by}"]
        for i, name in enumerate(names):
            values = "".join(f"  {metric} {one[i]:.4f}" for metric, one in self.micro.items())
            lines.append(f"  {name:<{width}}  {self.n_test_pairs[i]:,} pair(s){values}")
        if len(names) < len(self.names):
            lines.append(f"  and {len(self.names) - len(names):,} more")
        means = "".join(f"  {metric} {value:.4f}" for metric, value in self.macro_mean.items())
        return "\n".join([*lines, f"  mean over labels{means}>"])

    def _repr_html_(self) -> str:
        columns: list[Any] = [self.names, self.n_labels, self.n_train_pairs, self.n_test_pairs, *self.micro.values()]
        head = [self.by, "labels", "training pairs", "test pairs", *self.micro]
        if self.by == "label":
            del columns[1], head[1]
        rows = [tuple(column[i] for column in columns) for i in range(min(len(self.names), _MOST_ROWS))]
        more = f"the first {_MOST_ROWS} of {len(self.names):,}" if len(self.names) > _MOST_ROWS else ""
        mean = ["mean over labels", *[""] * (len(head) - 1 - len(self.micro)), *self.macro_mean.values()]
        return html.panel(f"GroupScores by {self.by}", more, html.table([*rows, mean], head))
