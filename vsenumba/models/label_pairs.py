"""What pairs of labels say beside an annotation model's vectors: sparse weights between labels, added to the scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.models.sparse_weights import MEMBERS, checked_weights, weights_from_elements, weights_to_elements
from vsenumba.storage import schema
from vsenumba.training.annotation.label_weights import local_weights

#: What stands in a model's file.
LABEL_PAIRS = schema.Elements(
    {**MEMBERS, "l2": schema.Array(("<f8",), (1,), finite=True), "strength": schema.Array(("<f8",), (1,), finite=True)},
    closed=True,
)


class LabelPairs:
    """Adds ``strength · Σ_y S_ya`` to the score of label a, y the known labels of the image.

    The weights S are those of ridge regressions; see `vsenumba.training.annotation.label_weights`. They hold what
    vectors cannot: what two rare labels have to do with each other and with no other.

    Parameters
    ----------
    weights : (L, L) float32 CSR array
        S.
    l2 : float
        The weight decay they were solved with, over the mean number of labels an image has.
    strength : float
        How much they count beside the vectors.
    """

    def __init__(self, weights: sp.csr_array, l2: float, strength: float) -> None:
        self.weights = weights
        self.l2 = l2
        self.strength = strength

    @classmethod
    def of(
        cls, data: AnnotationSet, l2: float, strength: float, max_neighbours: int, n_threads: int | None
    ) -> LabelPairs:
        """Solve for the weights between the labels of a set."""
        (weights,) = local_weights(data, [l2 * mean_labels(data)], max_neighbours, n_threads)
        return cls(weights, l2, strength)

    def add_to(
        self, scores: np.ndarray, known: AnnotationSet, rows: np.ndarray, labels: slice | np.ndarray = slice(None)
    ) -> np.ndarray:
        """Add what the known labels of some images say to scores, (len(rows), n_labels) float32; return these."""
        weights = checked_weights("the weights between labels", self.weights, known.n_labels)
        if not (isinstance(labels, slice) and labels == slice(None)):  # which would copy them
            weights = weights[:, labels]
        scores += np.float32(self.strength) * (known.rows_to_csr(rows) @ weights).toarray()
        return scores

    def to_elements(self) -> dict[str, np.ndarray]:
        """Return what stands in a file."""
        return {**weights_to_elements(self.weights), "l2": np.array([self.l2]), "strength": np.array([self.strength])}

    @classmethod
    def from_elements(cls, elements: Mapping[str, Any], n_labels: int) -> LabelPairs:
        """Return what `to_elements` was called on."""
        return cls(weights_from_elements(elements, n_labels), float(elements["l2"][0]), float(elements["strength"][0]))


def mean_labels(data: AnnotationSet) -> float:
    """Return how many labels an image has in the mean, of those that have any."""
    return data.n_pairs / max(int((data.labels_per_image > 0).sum()), 1)
