"""What stands for an image: where its vector comes from, and where the vector's gradient goes.

To add a kind of input, write one file with a class of `Inputs`, a state (a named tuple) and the four functions below
for it, and name it in ``inputs/__init__.py``.

A shard visits an image with a work space of float32 rows: ``VECTOR`` holds the image's vector for the pair at hand,
``PULL`` the gradient of the loss in that vector from the last step; the rows from ``OWN`` on belong to the inputs.
An image with very many labels is visited in chunks of `CHUNK` pairs, so that the work space has a bound.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from vsenumba.data.annotation_set import AnnotationSet
from vsenumba.kernels.compiler import dispatched

VECTOR = 0
PULL = 1
OWN = 2
CHUNK = 256


@dispatched
def open_visit(inputs, space, image, indices, begin, end):
    """Begin the visit of an image whose labels are ``indices[begin:end]``."""
    raise TypeError(f"no image is made from a {type(inputs).__name__}")


@dispatched
def open_pair(inputs, space, indices, begin, end, pair, slot):
    """Write the image's vector for one of its pairs to ``space[VECTOR]``; return whether there is one.

    ``indices[pair]`` is the pair's label, `slot` the pair's number within the chunk.
    """
    raise TypeError(f"no image is made from a {type(inputs).__name__}")


@dispatched
def take_pull(inputs, optimiser, learning_rate, l2, space, image, slot, gap_square):
    """Take in ``space[PULL]``, whose squared length is `gap_square`, after a step."""
    raise TypeError(f"no image is made from a {type(inputs).__name__}")


@dispatched
def close_visit(inputs, optimiser, learning_rate, l2, space, image, indices, begin, end, first, last):
    """End a visit in which the pairs ``first..last-1`` of ``begin..end-1`` were trained."""
    raise TypeError(f"no image is made from a {type(inputs).__name__}")


class Inputs(ABC):
    """Base of the kinds of input."""

    name: ClassVar[str]
    #: The weight decay that did best on the sets it was chosen on.
    default_l2: ClassVar[float]
    #: Whether an image has no vector before it is trained on or folded in.
    needs_image_rows: ClassVar[bool]

    @abstractmethod
    def table_rows(self, n_images: int, n_labels: int) -> dict[str, int]:
        """Return the tables it learns beside the label factors: their names and numbers of rows."""

    @abstractmethod
    def space_rows(self, most_labels: int) -> int:
        """Return how many rows of work space a visit needs, for an image of at most so many labels."""

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
