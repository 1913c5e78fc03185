"""An image as what it is tagged with: the sum of its other labels' context vectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import numpy as np

from vsenumba.data.annotation_set import AnnotationSet
from vsenumba.training.inputs.inputs import (
    CHUNK,
    OWN,
    PULL,
    VECTOR,
    Inputs,
    close_visit,
    open_pair,
    open_visit,
    take_pull,
)
from vsenumba.training.optimisers import row_rate

_SUM = OWN
_TOTAL = OWN + 1
_FIRST_SLOT = OWN + 2

# Between the sum (0) and the mean (1) of the labels' vectors.
_POWER = 0.5


class LabelsState(NamedTuple):
    """The context factors, the optimiser's sums of them, and the power of the number of labels."""

    context: np.ndarray
    sums: np.ndarray
    power: float


class LabelInputs(Inputs):
    """``v_i = Σ_y c_y / m^0.5`` over the m labels of the image, c the table ``context_factors``.

    In training the pair's own label is left out of the sum, so that the image is never described by the answer. It is
    CBOW over label sets: there is no image table, and an image never seen has its vector at once. An image with one
    label only teaches nothing, as no label is left to describe it.
    """

    name: ClassVar[str] = "labels"
    default_l2: ClassVar[float] = 0.001
    needs_image_rows: ClassVar[bool] = False

    def table_rows(self, n_images: int, n_labels: int) -> dict[str, int]:
        """Return one table with a row per label; see `Inputs.table_rows`."""
        return {"context_factors": n_labels}

    def space_rows(self, most_labels: int) -> int:
        """Return the sum, the total gradient and one row per pair of a chunk; see `Inputs.space_rows`."""
        return _FIRST_SLOT + min(most_labels, CHUNK)

    def state(self, tables: Mapping[str, np.ndarray], sums: Mapping[str, np.ndarray]) -> LabelsState:
        """Return the state; see `Inputs.state`."""
        return LabelsState(tables["context_factors"], sums["context_factors"], _POWER)

    def vectors(
        self, tables: Mapping[str, np.ndarray], table_rows: np.ndarray, known: AnnotationSet, rows: np.ndarray
    ) -> np.ndarray:
        """Return the scaled sums over all known labels, 0 for images without any; see `Inputs.vectors`."""
        csr = known.to_csr()[rows]
        counts = np.maximum(np.diff(csr.indptr), 1).astype(np.float32)
        return np.asarray(csr @ tables["context_factors"]) / (counts**_POWER)[:, None]


@open_visit.implement(LabelsState)
def _open_visit(inputs, space, image, indices, begin, end):
    space[_SUM] = 0
    space[_TOTAL] = 0
    for j in range(begin, end):
        label = indices[j]
        for f in range(space.shape[1]):
            space[_SUM, f] += inputs.context[label, f]


@open_pair.implement(LabelsState)
def _open_pair(inputs, space, indices, begin, end, pair, slot):
    others = end - begin - 1
    label = indices[pair]
    weight = np.float32(max(others, 1) ** -inputs.power)
    for f in range(space.shape[1]):
        space[VECTOR, f] = weight * (space[_SUM, f] - inputs.context[label, f])
        space[_FIRST_SLOT + slot, f] = 0
    return others > 0


@take_pull.implement(LabelsState)
def _take_pull(inputs, optimiser, learning_rate, l2, space, image, slot, gap_square):
    for f in range(space.shape[1]):
        space[_FIRST_SLOT + slot, f] += space[PULL, f]
        space[_TOTAL, f] += space[PULL, f]


@close_visit.implement(LabelsState)
def _close_visit(inputs, optimiser, learning_rate, l2, space, image, indices, begin, end, first, last):
    n_factors = space.shape[1]
    weight = np.float32(max(end - begin - 1, 1) ** -inputs.power)
    for j in range(begin, end):
        label = indices[j]
        # A label describes the image in every pair but its own.
        own = np.float32(1) if first <= j < last else np.float32(0)
        slot = _FIRST_SLOT + (j - first if first <= j < last else 0)
        square = np.float32(0)
        for f in range(n_factors):
            gradient = weight * (space[_TOTAL, f] - own * space[slot, f])
            square += gradient * gradient
        rate = np.float32(row_rate(optimiser, learning_rate, inputs.sums, label, square / np.float32(n_factors)))
        for f in range(n_factors):
            gradient = weight * (space[_TOTAL, f] - own * space[slot, f])
            inputs.context[label, f] -= rate * (gradient + l2 * inputs.context[label, f])
