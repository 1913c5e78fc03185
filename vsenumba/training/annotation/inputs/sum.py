"""The sum of one or more inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.errors import InputError
from vsenumba.losses import Loss, SoftmaxLoss
from vsenumba.samplers import Sampler, UniformSampler
from vsenumba.training.annotation.inputs.kind import (
    Counts,
    Feed,
    InputKind,
    Recipe,
    Sizes,
    Table,
    gather_visit,
    prefetch_visit,
    scatter_visit,
    shares_vector,
)
from vsenumba.training.optimisers import Optimiser

# With the softmax loss over drawn negatives, four times as many uniform draws are as accurate as adaptive ones, and
# faster.
_UNIFORM = UniformSampler()

# The largest number of inputs for which the compiled loop has parameters.
_MOST_PARTS = 3
# One bit per input.
EVERY_PART = np.uint8((1 << _MOST_PARTS) - 1)


class Nothing(NamedTuple):
    """The state of an unused input. It needs nothing, but a named tuple needs a field."""

    size: int


class InputsState(NamedTuple):
    """The states of the inputs that are added up, and which of them represent the image of each visit."""

    first: Any
    second: Any
    third: Any
    parts: Any


class Inputs:
    """Represent an image by the sum of the vectors of one or more inputs.

    An input that does not know the image adds nothing.

    Parameters
    ----------
    parts : sequence of InputKind
        One to three inputs of different kinds.

    Raises
    ------
    InputError
        If there are none, too many, or two of the same kind.
    """

    def __init__(self, parts: Sequence[InputKind]) -> None:
        names = [part.name for part in parts]
        if not 1 <= len(set(names)) == len(names) <= _MOST_PARTS:
            raise InputError(f"inputs must be one to {_MOST_PARTS} different names, not {tuple(names)}")
        self.parts = tuple(parts)

    @property
    def recipe(self) -> Recipe:
        """The default settings of the first input, if the user chose nothing."""
        return self.parts[0].recipe

    def recipe_for(self, sampler: Sampler | None, loss: Loss | None, optimiser: Optimiser, counts: Counts) -> Recipe:
        """Return the default settings for what the user chose; the first input determines most of them.

        With all labels weighed at once, a sum of inputs has the weight decay for drawn negatives, because the larger
        one suits features alone (docs/how-to/features.md).
        """
        if loss is None and sampler is None and counts.n_labels <= max(part.weighs_all_up_to for part in self.parts):
            loss = SoftmaxLoss()
        recipes = [part.recipe_for(sampler, loss, optimiser, counts) for part in self.parts]
        has_rows = any(part.needs_image_rows for part in self.parts)
        recipe = replace(recipes[0], max_neighbours=0 if has_rows else max(one.max_neighbours for one in recipes))
        if loss is not None and loss.draws is not None:
            return replace(recipe, loss=loss, n_negatives=loss.draws, sampler=_UNIFORM)
        if loss is None or not loss.takes_all:
            return recipe
        return replace(recipe, loss=loss, l2=recipe.l2 if len(self.parts) == 1 else self.recipe.l2)

    @property
    def needs_image_rows(self) -> bool:
        """Whether an image has no vector before it is trained or folded in."""
        return all(part.needs_image_rows for part in self.parts)

    @property
    def least_labels(self) -> int:
        """The least number of labels of an image from which the model can learn."""
        return min(part.least_labels for part in self.parts)

    def tables(self, sizes: Sizes) -> dict[str, Table]:
        """Return all tables of a model by name."""
        tables = {"label_factors": Table(sizes.n_labels, sizes.n_factors, self.parts[0].initial_spread)}
        for part in self.parts:
            tables |= part.tables(sizes)
        return tables

    def moved_by_steps(self, sizes: Sizes) -> set[str]:
        """Return the names of the tables that steps update row by row."""
        return {name for name, table in self.tables(sizes).items() if not table.is_dense}

    def constants(self, sizes: Sizes) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the arrays that the inputs compute from the data first; see `InputKind.constants`."""
        return {name: shape for part in self.parts for name, shape in part.constants(sizes).items()}

    def measure(self, data: AnnotationSet) -> dict[str, np.ndarray]:
        """Return the arrays that `constants` announces; see `InputKind.measure`."""
        return {name: array for part in self.parts for name, array in part.measure(data).items()}

    def rows_together(self, data: AnnotationSet) -> int:
        """Return how many neighbouring images should be visited together; see `InputKind.rows_together`."""
        return max(part.rows_together(data) for part in self.parts)

    @property
    def images_per_launch(self) -> int | None:
        """The largest number of images in a launch; None for any number."""
        return min((part.images_per_launch for part in self.parts if part.images_per_launch is not None), default=None)

    def drawn_parts(self, n_visits: int, rng: np.random.Generator) -> np.ndarray:
        """Draw which inputs represent the image of each visit, so that each input learns to work without the others.

        Returns
        -------
        (n_visits,) or (0,) uint8 array
            Bit p is set if input p is used. The array is empty if all inputs are always used.
        """
        everything = (1 << len(self.parts)) - 1
        if len(self.parts) == 1 or not any(part.alone or part.left_out for part in self.parts):
            return np.zeros(0, np.uint8)
        choices = {everything: 1.0}
        for p, part in enumerate(self.parts):
            for chosen, share in ((1 << p, part.alone), (everything - (1 << p), part.left_out)):
                choices[chosen] = choices.get(chosen, 0.0) + share
                choices[everything] -= share
        return rng.choice(np.array(list(choices), np.uint8), n_visits, p=list(choices.values()))

    def feeds(
        self, tables: Mapping[str, np.ndarray], sums: Mapping[str, np.ndarray], data: AnnotationSet, l2: float
    ) -> list[Feed]:
        """Return the feeds of the inputs, with `Nothing` for each unused place of the compiled loop."""
        feeds = [part.feed(tables, sums, data, l2) for part in self.parts]
        return feeds + [Feed(Nothing(0))] * (_MOST_PARTS - len(feeds))

    def knows(
        self, tables: Mapping[str, np.ndarray], table_rows: np.ndarray, known: AnnotationSet, rows: np.ndarray
    ) -> np.ndarray:
        """Return which images at least one input knows; see `InputKind.knows`."""
        return np.logical_or.reduce([part.knows(tables, table_rows, known, rows) for part in self.parts])

    def vectors(
        self, tables: Mapping[str, np.ndarray], table_rows: np.ndarray, known: AnnotationSet, rows: np.ndarray
    ) -> np.ndarray:
        """Return the sums of the inputs' vectors; see `InputKind.vectors`."""
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
    parts = inputs.parts[visit.place] if inputs.parts.shape[0] else EVERY_PART
    found = False
    if parts & 1:
        found = gather_visit(inputs.first, vectors, visit, indices, adds)
    if parts & 2:
        found = gather_visit(inputs.second, vectors, visit, indices, adds or (parts & 1) != 0) or found
    if parts & 4:
        found = gather_visit(inputs.third, vectors, visit, indices, adds or (parts & 3) != 0) or found
    return found


@scatter_visit.implement(InputsState)
def _scatter_visit(inputs, optimiser, learning_rate, l2, vectors, numbers, visit, indices):
    parts = inputs.parts[visit.place] if inputs.parts.shape[0] else EVERY_PART
    if parts & 1:
        scatter_visit(inputs.first, optimiser, learning_rate, l2, vectors, numbers, visit, indices)
    if parts & 2:
        scatter_visit(inputs.second, optimiser, learning_rate, l2, vectors, numbers, visit, indices)
    if parts & 4:
        scatter_visit(inputs.third, optimiser, learning_rate, l2, vectors, numbers, visit, indices)
