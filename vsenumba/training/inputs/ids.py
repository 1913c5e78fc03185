"""An image as a row of its own, known by its id alone: the paper's model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import numpy as np

from vsenumba.data.annotation_set import AnnotationSet
from vsenumba.training.inputs.inputs import (
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


class IdsState(NamedTuple):
    """The image factors and the optimiser's sums of them."""

    images: np.ndarray
    sums: np.ndarray


class IdInputs(Inputs):
    """``v_i`` is row i of the table ``image_factors`` (VSE-ens, AAAI 2018).

    An image never seen in training has no vector until it is folded in.
    """

    name: ClassVar[str] = "ids"
    default_l2: ClassVar[float] = 0.03
    needs_image_rows: ClassVar[bool] = True

    def table_rows(self, n_images: int, n_labels: int) -> dict[str, int]:
        """Return one table with a row per image; see `Inputs.table_rows`."""
        return {"image_factors": n_images}

    def space_rows(self, most_labels: int) -> int:
        """Return the rows every visit has; see `Inputs.space_rows`."""
        return OWN

    def state(self, tables: Mapping[str, np.ndarray], sums: Mapping[str, np.ndarray]) -> IdsState:
        """Return the state; see `Inputs.state`."""
        return IdsState(tables["image_factors"], sums["image_factors"])

    def vectors(
        self, tables: Mapping[str, np.ndarray], table_rows: np.ndarray, known: AnnotationSet, rows: np.ndarray
    ) -> np.ndarray:
        """Return the images' rows, 0 for images without one; see `Inputs.vectors`."""
        factors = tables["image_factors"]
        return np.where((table_rows >= 0)[:, None], factors[table_rows], np.float32(0))


@open_visit.implement(IdsState)
def _open_visit(inputs, space, image, indices, begin, end):
    # The visit works on a copy: the image belongs to one shard alone, and the copy stays in the nearest cache.
    for f in range(space.shape[1]):
        space[VECTOR, f] = inputs.images[image, f]


@open_pair.implement(IdsState)
def _open_pair(inputs, space, indices, begin, end, pair, slot):
    return True


@take_pull.implement(IdsState)
def _take_pull(inputs, optimiser, learning_rate, l2, space, image, slot, gap_square):
    n_factors = space.shape[1]
    rate = np.float32(row_rate(optimiser, learning_rate, inputs.sums, image, gap_square / np.float32(n_factors)))
    for f in range(n_factors):
        space[VECTOR, f] -= rate * (space[PULL, f] + l2 * space[VECTOR, f])


@close_visit.implement(IdsState)
def _close_visit(inputs, optimiser, learning_rate, l2, space, image, indices, begin, end, first, last):
    for f in range(space.shape[1]):
        inputs.images[image, f] = space[VECTOR, f]
