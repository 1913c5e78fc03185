"""A kind of input outside the package: an image as a projection of its numbers, computed for a whole launch at once."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np

from vsenumba.samplers import UniformSampler
from vsenumba.training.annotation.inputs.kind import (
    Feed,
    InputKind,
    Recipe,
    Table,
    gather_visit,
    prefetch_visit,
    scatter_visit,
    shares_vector,
)
from vsenumba.training.annotation.layout import BLOCK


class ProjectedState(NamedTuple):
    """The numbers, their projection, and for each image its vector and the gradient in it."""

    features: np.ndarray
    projection: np.ndarray
    vectors: np.ndarray
    gradients: np.ndarray


class ProjectedFeed(Feed):
    """The projection at work."""

    def __init__(self, projection, data):
        shape = (data.n_images, projection.shape[1])
        numbers = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        super().__init__(ProjectedState(data.features, projection, *numbers))

    def begin_launch(self, rows):
        self.state.vectors[rows] = self.state.features[rows] @ self.state.projection
        self.state.gradients[rows] = 0

    def end_launch(self, learning_rate):
        state = self.state
        state.projection[:] -= np.float32(learning_rate) * (state.features.T @ state.gradients)
        state.gradients[:] = 0


class ProjectedInputs(InputKind):
    """``v_i = U x_i``, with plain gradient descent for U."""

    name: ClassVar[str] = "projected"
    recipe: ClassVar[Recipe] = Recipe(learning_rate=0.1, l2=0.0, n_negatives=1, sampler=UniformSampler())
    initial_spread: ClassVar[float] = 0.1
    needs_image_rows: ClassVar[bool] = False
    n_features: ClassVar[int] = 3

    def tables(self, sizes):
        return {"projection": Table(self.n_features, sizes.n_factors, self.initial_spread)}

    def feed(self, tables, sums, data, l2):
        return ProjectedFeed(tables["projection"], data)

    def knows(self, tables, table_rows, known, rows):
        return np.ones(len(rows), bool)

    def vectors(self, tables, table_rows, known, rows):
        return known.features[rows] @ tables["projection"]


@shares_vector.implement(ProjectedState)
def _shares_vector(inputs):
    return True


@prefetch_visit.implement(ProjectedState)
def _prefetch_visit(inputs, row, indptr, indices):
    pass


@gather_visit.implement(ProjectedState)
def _gather_visit(inputs, vectors, visit, indices, adds):
    for s in range(visit.slot, visit.slot + visit.n_slots):
        for f in range(vectors.shape[1]):
            v = inputs.vectors[visit.row, f]
            vectors[s, f] = vectors[s, f] + v if adds else v
    return True


@scatter_visit.implement(ProjectedState)
def _scatter_visit(inputs, optimiser, learning_rate, l2, vectors, numbers, visit, indices):
    for s in range(visit.slot + BLOCK, visit.slot + BLOCK + visit.n_slots):
        for f in range(vectors.shape[1]):
            inputs.gradients[visit.row, f] += vectors[s, f]
