"""The result of an evaluation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vsenumba import html
from vsenumba.evaluation.group_scores import GroupScores


@dataclass(frozen=True, repr=False, eq=False)
class Scores:
    """The metrics of a model on a test set.

    Attributes
    ----------
    mean : dict of str to float
        Mean of each metric over the evaluated images. Images with an undefined value (NaN in `per_image`) are left out.
        ``"coverage@k"`` appears only here.
    per_image : dict of str to (n_images,) float64 array
        Value of each metric for every evaluated image.
    n_images : int
        Number of evaluated images: those with at least one test label, or the requested sample of them.
    image_rows : (n_images,) int64 array
        Their rows in the test set, ascending.
    n_pairs_left_out : int
        Number of test pairs that were left out because the model does not know their label.
    groups : GroupScores or None
        The scores by label or by popularity, if you called ``evaluate(..., by=...)``.

    Examples
    --------
    >>> Scores({"mrr": 0.75}, {"mrr": np.array([1.0, 0.5])}, 2, np.array([0, 3]))
    <Scores over 2 images
      mrr  0.7500>
    """

    mean: dict[str, float]
    per_image: dict[str, np.ndarray]
    n_images: int
    image_rows: np.ndarray
    n_pairs_left_out: int = 0
    groups: GroupScores | None = None

    def __repr__(self) -> str:
        width = max(map(len, self.mean))
        lines = [f"\n  {name:<{width}}  {value:.4f}" for name, value in self.mean.items()]
        left_out = f", {self.n_pairs_left_out:,} pair(s) left out" if self.n_pairs_left_out else ""
        return f"<Scores over {self.n_images:,} image{'s' * (self.n_images != 1)}{left_out}{''.join(lines)}>"

    def _repr_html_(self) -> str:
        left_out = f", {self.n_pairs_left_out:,} pair(s) left out" if self.n_pairs_left_out else ""
        note = f"means over {self.n_images:,} image{'s' * (self.n_images != 1)}{left_out}"
        groups = () if self.groups is None else (html.Html(self.groups._repr_html_()),)
        return html.panel("Scores", note, html.table(self.mean.items(), ("metric", "mean")), *groups)


def defined_mean(values: np.ndarray) -> float:
    """Return the mean of the values that are not NaN; NaN if there are none."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else float("nan")
