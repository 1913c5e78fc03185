"""An image as a row of its own, known by its id alone: the paper's model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import numpy as np

from vsenumba.data.annotation_set import AnnotationSet
from vsenumba.kernels.prefetch import prefetch, prefetch_row
from vsenumba.samplers import DynamicSampler
from vsenumba.training.inputs.inputs import (
    BLOCK,
    PULL_SQUARE,
    PULLS,
    Inputs,
    Recipe,
    close_visit,
    expect_visit,
    open_visit,
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
    recipe: ClassVar[Recipe] = Recipe(learning_rate=0.2, l2=0.03, n_negatives=3, initial_spread=0.02)
    needs_image_rows: ClassVar[bool] = True

    def default_sampler(self, n_labels: int) -> DynamicSampler:
        """Return the best of a few uniform draws, a fifth of the square root of the number of labels, from 2 to 32.

        Greedier samplers were better on Flickr8k's words, and worse with fewer labels.
        """
        return DynamicSampler(n_candidates=min(max(round(math.sqrt(n_labels) / 5), 2), 32))

    def table_rows(self, n_images: int, n_labels: int) -> dict[str, int]:
        """Return one table with a row per image; see `Inputs.table_rows`."""
        return {"image_factors": n_images}

    def work_rows(self) -> int:
        """Return the rows every block has; see `Inputs.work_rows`."""
        return 2 * BLOCK

    def state(self, tables: Mapping[str, np.ndarray], sums: Mapping[str, np.ndarray]) -> IdsState:
        """Return the state; see `Inputs.state`."""
        return IdsState(tables["image_factors"], sums["image_factors"])

    def vectors(
        self, tables: Mapping[str, np.ndarray], table_rows: np.ndarray, known: AnnotationSet, rows: np.ndarray
    ) -> np.ndarray:
        """Return the images' rows, 0 for images without one; see `Inputs.vectors`."""
        vectors = tables["image_factors"][table_rows]
        vectors[table_rows < 0] = 0
        return vectors


@expect_visit.implement(IdsState)
def _expect_visit(inputs, image, indptr, indices):
    prefetch(indices, indptr[image])
    prefetch(inputs.sums, image)
    prefetch_row(inputs.images, image)


@open_visit.implement(IdsState)
def _open_visit(inputs, vectors, rows, slot, image, indices, begin, end, first, last):
    # All pairs of an image share its row.
    for f in range(vectors.shape[1]):
        vectors[slot, f] = inputs.images[image, f]
        vectors[slot + BLOCK, f] = 0
    for s in range(slot, slot + last - first):
        rows[s] = slot


@close_visit.implement(IdsState)
def _close_visit(inputs, optimiser, learning_rate, l2, vectors, numbers, slot, image, indices, begin, end, first, last):
    n_factors = vectors.shape[1]
    mean_square = numbers[PULL_SQUARE, slot] / np.float32(n_factors)
    rate = np.float32(row_rate(optimiser, learning_rate, inputs.sums, image, mean_square))
    decay = l2 * numbers[PULLS, slot]
    for f in range(n_factors):
        v = vectors[slot, f]
        inputs.images[image, f] = v - rate * (vectors[slot + BLOCK, f] + decay * v)
