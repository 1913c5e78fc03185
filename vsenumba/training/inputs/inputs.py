"""What stands for an image: where its vector comes from, and where the vector's gradient goes.

To add a kind of input, write one file with a class of `Inputs`, a state (a named tuple) and the three functions below
for it, and name it in ``inputs/__init__.py``.

A shard trains the pairs of a block together, those of several images or a part of one's. Row r of its `vectors`, r
below `BLOCK`, holds the vector of an image for one or several of its pairs, row ``BLOCK + r`` the sum of the loss's
gradients in it; rows from ``2 BLOCK`` on belong to the inputs. ``numbers[PULL_SQUARE, r]`` is the sum of those
gradients' squared lengths, and ``numbers[PULLS, r]`` their number.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from vsenumba.data.annotation_set import AnnotationSet
from vsenumba.kernels.compiler import dispatched
from vsenumba.samplers import Sampler

# Pairs of a block: enough to keep the processor busy, few enough for the nearest cache.
BLOCK = 32

# Rows of `numbers` that the inputs may read.
PULL_SQUARE, PULLS = range(2)


@dispatched
def expect_visit(inputs, image, indptr, indices):
    """Ask for the memory that a visit of the image will need."""
    raise TypeError(f"no image is made from a {type(inputs).__name__}")


@dispatched
def open_visit(inputs, vectors, rows, slot, image, indices, begin, end, first, last):
    """Write the vectors for the pairs ``first..last-1`` of an image whose labels are ``indices[begin:end]``.

    The pair ``first + j`` is step ``slot + j`` of the block. Its vector goes to one of the rows from `slot` to
    ``slot + last - first - 1``, and the row's number to ``rows[slot + j]``, -1 if the pair has none; the gradient's
    row is set to 0.
    """
    raise TypeError(f"no image is made from a {type(inputs).__name__}")


@dispatched
def close_visit(inputs, optimiser, learning_rate, l2, vectors, numbers, slot, image, indices, begin, end, first, last):
    """Move the inputs' tables against the gradients of what `open_visit` opened."""
    raise TypeError(f"no image is made from a {type(inputs).__name__}")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train, so far as it depends on what stands for an image.

    Attributes
    ----------
    learning_rate, l2 : float
        The rate of the first epoch, and the weight decay per step.
    n_negatives : int
        Negatives per pair.
    initial_spread : float
        Standard deviation of fresh factors.
    """

    learning_rate: float
    l2: float
    n_negatives: int
    initial_spread: float


class Inputs(ABC):
    """Base of the kinds of input."""

    name: ClassVar[str]
    #: What a model takes where its user chose nothing: one recipe for all sets (docs/performance.md).
    recipe: ClassVar[Recipe]
    #: Whether an image has no vector before it is trained on or folded in.
    needs_image_rows: ClassVar[bool]

    @abstractmethod
    def default_sampler(self, n_labels: int) -> Sampler:
        """Return the sampler of a model whose user chose none, for so many labels; a part of the recipe."""

    @abstractmethod
    def table_rows(self, n_images: int, n_labels: int) -> dict[str, int]:
        """Return the tables it learns beside the label factors: their names and numbers of rows."""

    @abstractmethod
    def work_rows(self) -> int:
        """Return how many rows of vectors a block needs."""

    @abstractmethod
    def state(self, tables: Mapping[str, np.ndarray], sums: Mapping[str, np.ndarray]) -> Any:
        """Return what the kernels need, a named tuple of the tables and the optimiser's sums of these."""

    @abstractmethod
    def vectors(
        self, tables: Mapping[str, np.ndarray], table_rows: np.ndarray, known: AnnotationSet, rows: np.ndarray
    ) -> np.ndarray:
        """Return the vectors of images, (len(rows), k) float32.

        Parameters
        ----------
        tables : mapping
            The learnt tables.
        table_rows : (len(rows),) int64
            Where the images stand in the model's tables, -1 for images it was not trained on.
        known : AnnotationSet
            What is known of the images; its label columns are the model's.
        rows : (len(rows),) int64
            Where the images stand in `known`.
        """
