"""Split a set for benchmarks into training pairs, pairs that choose the epoch, and pairs for the scores."""

from __future__ import annotations

import numpy as np

from vsenumba import AnnotationSet, evaluate, leave_one_out
from vsenumba.evaluation import Scorer


class Split:
    """Training pairs, and held-out pairs of at most `most` images in two random halves: choosing and reporting.

    Parameters
    ----------
    data : AnnotationSet
        The set to split.
    most : int
        The maximum number of test images. The other images get their held-out pairs back.
    """

    def __init__(self, data: AnnotationSet, most: int) -> None:
        train, held_out = leave_one_out(data, rng=123)
        rng = np.random.default_rng(5)
        judged = np.zeros(data.n_images, dtype=bool)
        judged[rng.permutation(np.flatnonzero(held_out.labels_per_image))[:most]] = True
        rows, _ = held_out.pairs()
        self.train = train.union(held_out.with_pairs(~judged[rows]))
        self.held_out = held_out.with_pairs(judged[rows])
        self.chooses = np.random.default_rng(123).random(data.n_images) < 0.5

    def mrr(self, model: Scorer) -> tuple[float, float]:
        """Return the mean reciprocal rank on the choosing half and on the reporting half."""
        scores = evaluate(model, self.held_out, exclude=self.train, metrics=["mrr"], n_threads=1)
        values, chooses = scores.per_image["mrr"], self.chooses[scores.image_rows]
        return tuple(float(values[half].mean()) if half.any() else float("nan") for half in (chooses, ~chooses))
