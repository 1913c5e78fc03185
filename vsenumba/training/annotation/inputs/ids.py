"""An image as a row of its own, known by its id alone: the paper's model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, NamedTuple

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.kernels.prefetch import prefetch, prefetch_row
from vsenumba.losses import Loss
from vsenumba.samplers import DynamicSampler, Sampler
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
from vsenumba.training.annotation.layout import BLOCK, GRADIENT_SQUARE, N_GRADIENTS, SCRATCH
from vsenumba.training.optimisers import Optimiser, row_rate

_SAMPLER = DynamicSampler(n_candidates=None)

# An image of more labels than so many has more steps a pass than it needs: there are fewer negatives then.
_FEW = 4
# A hinge pulls with its whole weight up to the margin, and so do negatives that WARP or popularity choose: at the rate
# of the logistic loss and uniform negatives, images of 55 labels end at popularity's level
# (docs/explanation/recipe.md).
_HINGE = Recipe(learning_rate=0.1, l2=0.02, n_negatives=3, sampler=_SAMPLER)
_GREEDY = Recipe(learning_rate=0.05, l2=0.05, n_negatives=1, sampler=_SAMPLER)
# One gradient stands for all negatives at once.
_SOFTMAX = Recipe(learning_rate=0.3, l2=0.1, n_negatives=1, sampler=_SAMPLER)
# Without Adagrad an image's row moves by all of its pairs at one rate: it must be the smaller, the more these are. The
# rates are those for one label an image, and divided by the square root of how many there are.
_SGD = Recipe(learning_rate=0.4, l2=0.03, n_negatives=1, sampler=_SAMPLER)
_SGD_HINGE = Recipe(learning_rate=0.2, l2=0.1, n_negatives=1, sampler=_SAMPLER)

# A row decays as labels do where its image has so many labels, and more where it has fewer: of one or two labels a row
# learns mostly chance (docs/explanation/recipe.md).
SETTLED = 6


class IdsState(NamedTuple):
    """The image factors, the optimiser's sums of them, and how many numbers of a row stay 1: the first, or none."""

    images: np.ndarray
    sums: np.ndarray
    n_fixed: int


class IdInputs(InputKind):
    """``v_i`` is row i of the table ``image_factors`` (VSE-ens, AAAI 2018).

    With an optimiser that keeps sums, as Adagrad does, the first number of every row stays 1, so that a label's first
    number is its bias. The rest of a row decays by ``l2 sqrt(6 / m)`` a step, m being how many labels the image has: an
    image of few labels is ranked by popularity until its labels say more. Plain SGD, the paper's, keeps no sums: with
    it, and with one factor, the model is the paper's, without biases.

    An image never seen in training has no vector until it is folded in. The default sampler is the best of a few
    uniform draws: greedier samplers were better on Flickr8k's words, and worse with fewer labels.
    """

    name: ClassVar[str] = "ids"
    recipe: ClassVar[Recipe] = Recipe(learning_rate=0.3, l2=0.05, n_negatives=3, sampler=_SAMPLER)
    initial_spread: ClassVar[float] = 0.02
    needs_image_rows: ClassVar[bool] = True

    def recipe_for(self, sampler: Sampler | None, loss: Loss | None, optimiser: Optimiser, counts: Counts) -> Recipe:
        """Return a recipe with which no combination ends at popularity's level; see `InputKind.recipe_for`."""
        name = "logistic" if loss is None else loss.name
        labels_per_image = max(counts.n_pairs / max(counts.n_images, 1), 1)
        if optimiser.name == "sgd":
            recipe = _SGD if name == "logistic" else _SGD_HINGE
            return replace(recipe, learning_rate=recipe.learning_rate / math.sqrt(labels_per_image))
        if name == "softmax":
            return _SOFTMAX
        if sampler is not None and sampler.name in ("warp", "popularity"):
            return _GREEDY
        share = min(_FEW / labels_per_image, 1)
        recipe = self.recipe if name == "logistic" else _HINGE
        rate = recipe.learning_rate * (1 if recipe is _HINGE else share ** (1 / 3))
        return replace(recipe, learning_rate=rate, n_negatives=max(round(recipe.n_negatives * share), 1))

    def tables(self, sizes: Sizes) -> dict[str, Table]:
        """Return one table with a row per image; see `InputKind.tables`."""
        return {"image_factors": Table(sizes.n_images, sizes.n_factors, self.initial_spread)}

    def feed(
        self, tables: Mapping[str, np.ndarray], sums: Mapping[str, np.ndarray], data: AnnotationSet, l2: float
    ) -> Feed:
        """Return the table at work; see `InputKind.feed`."""
        images, memory = tables["image_factors"], sums["image_factors"]
        n_fixed = int(len(memory) > 0 and images.shape[1] > 1)
        images[:, :n_fixed] = 1
        return Feed(IdsState(images, memory, n_fixed))

    def knows(
        self, tables: Mapping[str, np.ndarray], table_rows: np.ndarray, known: AnnotationSet, rows: np.ndarray
    ) -> np.ndarray:
        """Return which images have a row; see `InputKind.knows`."""
        return table_rows >= 0

    def vectors(
        self, tables: Mapping[str, np.ndarray], table_rows: np.ndarray, known: AnnotationSet, rows: np.ndarray
    ) -> np.ndarray:
        """Return the images' rows, 0 for images without one; see `InputKind.vectors`."""
        vectors = tables["image_factors"][table_rows]
        vectors[table_rows < 0] = 0
        return vectors


@shares_vector.implement(IdsState)
def _shares_vector(inputs):
    return True


@prefetch_visit.implement(IdsState)
def _prefetch_visit(inputs, row, indptr, indices):
    prefetch(indices, indptr[row])
    prefetch(inputs.sums, row)
    prefetch_row(inputs.images, row)


@gather_visit.implement(IdsState)
def _gather_visit(inputs, vectors, visit, indices, adds):
    for s in range(visit.slot, visit.slot + visit.n_slots):
        for f in range(vectors.shape[1]):
            v = inputs.images[visit.row, f]
            vectors[s, f] = vectors[s, f] + v if adds else v
    return True


@scatter_visit.implement(IdsState)
def _scatter_visit(inputs, optimiser, learning_rate, l2, vectors, numbers, visit, indices):
    n_factors = vectors.shape[1]
    vectors[SCRATCH] = 0
    square, n_gradients = np.float32(0), np.float32(0)
    for s in range(visit.slot, visit.slot + visit.n_slots):
        square += numbers[GRADIENT_SQUARE, s]
        n_gradients += numbers[N_GRADIENTS, s]
        for f in range(n_factors):
            vectors[SCRATCH, f] += vectors[s + BLOCK, f]
    rate = np.float32(row_rate(optimiser, learning_rate, inputs.sums, visit.row, square / np.float32(n_factors)))
    decay = l2 * n_gradients
    if inputs.n_fixed > 0:
        decay *= np.float32(math.sqrt(SETTLED / (visit.end - visit.begin)))
    for f in range(inputs.n_fixed, n_factors):
        v = inputs.images[visit.row, f]
        inputs.images[visit.row, f] = v - rate * (vectors[SCRATCH, f] + decay * v)
