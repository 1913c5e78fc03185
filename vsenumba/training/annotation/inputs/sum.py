"""What stands for an image: the sum of the vectors that one or more inputs give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.errors import InputError
from vsenumba.losses import Loss
from vsenumba.samplers import Sampler
from vsenumba.training.annotation.inputs.kind import (
    InputKind,
    Recipe,
    gather_visit,
    prefetch_visit,
    scatter_visit,
    shares_vector,
)
from vsenumba.training.optimisers import Optimiser

# The compiled loop has room for so many.
_MOST_PARTS = 3


class Nothing(NamedTuple):
    """The state of no input; a named tuple must have a field."""

    size: int


class InputsState(NamedTuple):
    """The states of the inputs that are added up."""

    first: Any
    second: Any
    third: Any


class Inputs:
    """``v_i`` is the sum of the vectors that some inputs give; of which an input knows nothing, the others' sum.

    Parameters
    ----------
    parts : sequence of InputKind
        What is added up, one or more; each kind once.
    """

    def __init__(self, parts: Sequence[InputKind]) -> None:
        names = [part.name for part in parts]
        if not 1 <= len(set(names)) == len(names) <= _MOST_PARTS:
            raise InputError(f"inputs must be a name, or up to {_MOST_PARTS} different ones, not {tuple(names)}")
        self.parts = tuple(parts)

    @property
    def recipe(self) -> Recipe:
        """What a model takes where its user chose nothing at all: that of the first part."""
        return self.parts[0].recipe

    def recipe_for(self, sampler: Sampler, loss: Loss, optimiser: Optimiser, labels_per_image: float) -> Recipe:
        """Return what a model takes for the rest where its user chose these: that of the first part."""
        return self.parts[0].recipe_for(sampler, loss, optimiser, labels_per_image)

    @property
    def needs_image_rows(self) -> bool:
        """Whether an image has no vector before it is trained on or folded in."""
        return all(part.needs_image_rows for part in self.parts)

    @property
    def least_labels(self) -> int:
        """How many labels an image must have to be learnt from."""
        return min(part.least_labels for part in self.parts)

    def tables(self, n_images: int, n_labels: int) -> dict[str, tuple[int, float]]:
        """Return all tables of a model: by name the number of rows, and the standard deviation of fresh factors."""
        tables = {"label_factors": (n_labels, self.parts[0].initial_spread)}
        for part in self.parts:
            tables |= {name: (n, part.initial_spread) for name, n in part.table_rows(n_images, n_labels).items()}
        return tables

    def states(
        self, tables: Mapping[str, np.ndarray], sums: Mapping[str, np.ndarray], data: AnnotationSet
    ) -> tuple[Any, ...]:
        """Return the parts' states, and `Nothing` where there are fewer than the loop has room for."""
        states = [part.state(tables, sums, data) for part in self.parts]
        return (*states, *[Nothing(0)] * (_MOST_PARTS - len(states)))

    def begin_launch(self, states: Sequence[Any], rows: np.ndarray) -> None:
        """Prepare all parts for a launch on the images in some rows; see `InputKind.begin_launch`."""
        for part, state in zip(self.parts, states, strict=False):
            part.begin_launch(state, rows)

    def end_launch(self, states: Sequence[Any], learning_rate: float) -> None:
        """Take back what a launch left; see `InputKind.end_launch`."""
        for part, state in zip(self.parts, states, strict=False):
            part.end_launch(state, learning_rate)

    def knows(self, table_rows: np.ndarray, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Return of which images any part knows something; see `InputKind.knows`."""
        return np.logical_or.reduce([part.knows(table_rows, known, rows) for part in self.parts])

    def vectors(
        self, tables: Mapping[str, np.ndarray], table_rows: np.ndarray, known: AnnotationSet, rows: np.ndarray
    ) -> np.ndarray:
        """Return the sums of the parts' vectors; see `InputKind.vectors`."""
        vectors = self.parts[0].vectors(tables, table_rows, known, rows)
        for part in self.parts[1:]:
            vectors += part.vectors(tables, table_rows, known, rows)
        return vectors


@shares_vector.implement(Nothing)
def _shares_nothing(inputs):
    return True


@prefetch_visit.implement(Nothing)
def _prefetch_nothing(inputs, row, indptr, indices):
    pass


@gather_visit.implement(Nothing)
def _gather_nothing(inputs, vectors, visit, indices, adds):
    return False


@scatter_visit.implement(Nothing)
def _scatter_nothing(inputs, optimiser, learning_rate, l2, vectors, numbers, visit, indices):
    pass


@shares_vector.implement(InputsState)
def _share_vector(inputs):
    return shares_vector(inputs.first) and shares_vector(inputs.second) and shares_vector(inputs.third)


@prefetch_visit.implement(InputsState)
def _prefetch_visit(inputs, row, indptr, indices):
    prefetch_visit(inputs.first, row, indptr, indices)
    prefetch_visit(inputs.second, row, indptr, indices)
    prefetch_visit(inputs.third, row, indptr, indices)


@gather_visit.implement(InputsState)
def _gather_visit(inputs, vectors, visit, indices, adds):
    in_first = gather_visit(inputs.first, vectors, visit, indices, adds)
    in_second = gather_visit(inputs.second, vectors, visit, indices, True)
    in_third = gather_visit(inputs.third, vectors, visit, indices, True)
    return in_first or in_second or in_third


@scatter_visit.implement(InputsState)
def _scatter_visit(inputs, optimiser, learning_rate, l2, vectors, numbers, visit, indices):
    scatter_visit(inputs.first, optimiser, learning_rate, l2, vectors, numbers, visit, indices)
    scatter_visit(inputs.second, optimiser, learning_rate, l2, vectors, numbers, visit, indices)
    scatter_visit(inputs.third, optimiser, learning_rate, l2, vectors, numbers, visit, indices)
