"""Sparse weights between labels, which are added to the scores of an annotation model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.models.sparse_weights import MEMBERS, checked_weights, weights_from_elements, weights_to_elements
from vsenumba.storage import schema
from vsenumba.training.annotation.label_weights import local_weights

#: Schema of the weights in a model's file.
LABEL_PAIRS = schema.Elements(
    {**MEMBERS, "l2": schema.Array(("<f8",), (1,), finite=True), "strength": schema.Array(("<f8",), (1,), finite=True)},
    closed=True,
)


class LabelPairs:
    """Weights between labels: adds ``strength · Σ_y S_ya`` to the score of label a, over the image's known labels y.

    The weights S come from ridge regressions; see `vsenumba.training.annotation.label_weights`. They can express what
    vectors cannot: that two rare labels have much to do with each other and with no other label.

    Parameters
    ----------
    weights : (L, L) float32 CSR array
        The weights S.
    l2 : float
        Weight decay of the regressions, divided by the mean number of labels of an image.
    strength : float
        Factor of the weights in the score.
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
        """Add the weights of known labels to scores, (len(rows), n_labels) float32, in place; return the scores."""
        weights = checked_weights("the weights between labels", self.weights, known.n_labels)
        if not (isinstance(labels, slice) and labels == slice(None)):  # a slice of all would copy the weights
            weights = weights[:, labels]
        scores += np.float32(self.strength) * (known.rows_to_csr(rows) @ weights).toarray()
        return scores

    def to_elements(self) -> dict[str, np.ndarray]:
        """Return the elements of a file."""
        return {**weights_to_elements(self.weights), "l2": np.array([self.l2]), "strength": np.array([self.strength])}

    @classmethod
    def from_elements(cls, elements: Mapping[str, Any], n_labels: int) -> LabelPairs:
        """Restore from what `to_elements` returned."""
        return cls(weights_from_elements(elements, n_labels), float(elements["l2"][0]), float(elements["strength"][0]))


def mean_labels(data: AnnotationSet) -> float:
    """Return the mean number of labels of an image, over images with at least one."""
    return data.n_pairs / max(int((data.labels_per_image > 0).sum()), 1)
