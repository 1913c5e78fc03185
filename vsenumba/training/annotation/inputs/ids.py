"""Images represented by their ids: each image has a row of its own, as in the VSE-ens paper."""

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

# Images with more labels than this have more steps per epoch than they need, so they get fewer negatives.
_FEW = 4
# The gradient of a hinge stays at its full size up to the margin, and negatives from WARP or the popularity sampler
# have large gradients too. At the rate of the logistic loss with uniform negatives, a set with 55 labels per image then
# only reached the accuracy of the popularity ranking (docs/explanation/recipe.md).
_HINGE = Recipe(learning_rate=0.1, l2=0.02, n_negatives=3, sampler=_SAMPLER)
_GREEDY = Recipe(learning_rate=0.05, l2=0.05, n_negatives=1, sampler=_SAMPLER)
# One gradient stands for all negatives at once.
_SOFTMAX = Recipe(learning_rate=0.3, l2=0.1, n_negatives=1, sampler=_SAMPLER)
# Without Adagrad, an image's row moves by the sum of its pairs' gradients at one rate, so the rate must be smaller for
# images with more labels. These rates are for one label per image; they are divided by the square root of the mean
# number of labels.
_SGD = Recipe(learning_rate=0.4, l2=0.03, n_negatives=1, sampler=_SAMPLER)
_SGD_HINGE = Recipe(learning_rate=0.2, l2=0.1, n_negatives=1, sampler=_SAMPLER)

# The row of an image with this number of labels decays as label rows do. With fewer labels it decays more, because a
# row with one or two labels mostly learns chance (docs/explanation/recipe.md).
SETTLED = 6


class IdsState(NamedTuple):
    """The image factors, the optimiser's sums of them, and how many first numbers of a row are fixed at 1 (0 or 1)."""

    images: np.ndarray
    sums: np.ndarray
    n_fixed: int


class IdInputs(InputKind):
    """Represent image i by row i of the table ``image_factors``, as VSE-ens does (AAAI 2018).

    If the optimiser keeps sums, as Adagrad does, and there is more than one factor, the first number of every row stays
    1. The first number of a label is then its bias. The rest of a row decays by ``l2 sqrt(6 / m)`` per step, where m is
    the number of the image's labels. So an image with few labels is ranked by popularity until its labels say more.
    Plain SGD keeps no sums. With it, or with a single factor, the model is that of the paper, without biases.

    An image that was not in the training has no vector until it is folded in. The default sampler takes the best of a
    few uniform draws. Samplers with harder negatives were better on the caption words of Flickr8k, and worse on sets
    with fewer labels.
    """

    name: ClassVar[str] = "ids"
    recipe: ClassVar[Recipe] = Recipe(learning_rate=0.3, l2=0.05, n_negatives=3, sampler=_SAMPLER)
    initial_spread: ClassVar[float] = 0.02
    needs_image_rows: ClassVar[bool] = True

    def recipe_for(self, sampler: Sampler | None, loss: Loss | None, optimiser: Optimiser, counts: Counts) -> Recipe:
        """Return settings with which every combination beats a popularity ranking; see `InputKind.recipe_for`."""
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
        """Return the feed of the table; see `InputKind.feed`."""
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
        """Return the images' rows; 0 for images without a row; see `InputKind.vectors`."""
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
