"""Images represented by their features, through a network with one hidden layer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import ClassVar, NamedTuple

import numba
import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.features import feature_rows, is_on_disk
from vsenumba.kernels.prefetch import prefetch
from vsenumba.kernels.products import product
from vsenumba.kernels.threads import threads
from vsenumba.losses import Loss
from vsenumba.samplers import AdaptiveSampler, Sampler
from vsenumba.training.adamw import AdamW
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
from vsenumba.training.annotation.layout import BLOCK
from vsenumba.training.annotation.network import backward, forward, measured, standardised
from vsenumba.training.optimisers import Optimiser

# docs/how-to/features.md tells how these were chosen: on clip art, emoji, and a part of the training set of Corel5k.
_HIDDEN = 512
_IMAGES_PER_LAUNCH = 128
# The weight decay of the label factors if all labels are weighed at once.
_L2_OF_ALL = 0.2
# The learning rate of AdamW as a share of the model's learning rate, and the weight decay of AdamW.
RATE, DECAY = 0.02, 4.0
# The share of an image's features that is hidden in each step.
_DROPPED = 0.4
# The standard deviation of the numbers of an image's vector before training.
_SPREAD = 0.3
# The number of neighbouring images that are read from disk together in training, and the number of images whose vectors
# are computed together.
_RUN, _AT_ONCE = 32, 4_096

# The least number of multiplications per thread; see `vsenumba.training.annotation.host`.
_PRODUCTS_PER_THREAD = 40_000_000

LAYERS = ("feature_weights", "feature_projection")


class FeaturesState(NamedTuple):
    """The vectors of a launch's images, by their places in the launch, and the gradients of these vectors."""

    vectors: np.ndarray
    gradients: np.ndarray


class FeatureInputs(InputKind):
    """Represent an image by ``v_i = relu(x_i W + b) U + c``, where x_i are its standardised features.

    The vectors of a launch's images are computed before the launch, by matrix products. After it, matrix products turn
    the gradients of the vectors into gradients of W, b, U and c, which AdamW updates. In each step, a share of the
    features of each image is hidden (dropout). A new image gets its vector from its features.
    """

    name: ClassVar[str] = "features"
    recipe: ClassVar[Recipe] = Recipe(
        learning_rate=0.1, l2=0.001, n_negatives=1, sampler=AdaptiveSampler(lam=0.1, n_candidates=None)
    )
    initial_spread: ClassVar[float] = 0.1
    needs_image_rows: ClassVar[bool] = False
    alone: ClassVar[float] = 0.5
    left_out: ClassVar[float] = 0.1
    images_per_launch: ClassVar[int | None] = _IMAGES_PER_LAUNCH
    weighs_all_up_to: ClassVar[int] = 4_096  # scoring them takes as long as the network, for each image

    def recipe_for(self, sampler: Sampler | None, loss: Loss | None, optimiser: Optimiser, counts: Counts) -> Recipe:
        """Return settings with a large weight decay if all labels are weighed at once; see `InputKind.recipe_for`."""
        recipe = super().recipe_for(sampler, loss, optimiser, counts)
        return replace(recipe, l2=_L2_OF_ALL) if loss is not None and loss.takes_all else recipe

    def tables(self, sizes: Sizes) -> dict[str, Table]:
        """Return the two layers; see `InputKind.tables`."""
        n_features = max(sizes.n_features, 1)
        return {
            "feature_weights": Table(sizes.n_features + 1, _HIDDEN, math.sqrt(2 / n_features), is_dense=True),
            "feature_projection": Table(_HIDDEN + 1, sizes.n_factors, _SPREAD * math.sqrt(2 / _HIDDEN), is_dense=True),
        }

    def constants(self, sizes: Sizes) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the standardisation; see `InputKind.constants`."""
        return {"feature_mean": (sizes.n_features,), "feature_spread": (sizes.n_features,)}

    def measure(self, data: AnnotationSet) -> dict[str, np.ndarray]:
        """Compute the standardisation from the images that have labels; see `InputKind.measure`."""
        return measured(data.features, np.flatnonzero(data.labels_per_image))

    def rows_together(self, data: AnnotationSet) -> int:
        """Return the number of rows to read from disk at a time; see `InputKind.rows_together`."""
        return _RUN if is_on_disk(data.features) else 1

    def feed(
        self, tables: Mapping[str, np.ndarray], sums: Mapping[str, np.ndarray], data: AnnotationSet, l2: float
    ) -> Feed:
        """Return the feed of the network; see `InputKind.feed`."""
        return FeatureFeed(tables, sums, data)

    def knows(
        self, tables: Mapping[str, np.ndarray], table_rows: np.ndarray, known: AnnotationSet, rows: np.ndarray
    ) -> np.ndarray:
        """Return which images have features, or had them in training; see `InputKind.knows`."""
        if known.features is not None:
            return np.ones(len(rows), dtype=bool)
        return np.asarray(self.vectors(tables, table_rows, known, rows).any(axis=1))

    def vectors(
        self, tables: Mapping[str, np.ndarray], table_rows: np.ndarray, known: AnnotationSet, rows: np.ndarray
    ) -> np.ndarray:
        """Return vectors from the network or from the model file; 0 for unknown images; see `InputKind.vectors`."""
        vectors = np.zeros((len(rows), tables["feature_projection"].shape[1]), dtype=np.float32)
        if known.features is not None:
            for start in range(0, len(rows), _AT_ONCE):
                batch = feature_rows(known.features, rows[start : start + _AT_ONCE])
                vectors[start : start + _AT_ONCE], _ = forward(standardised(batch, tables), tables, np.matmul)
        elif "feature_vectors" in tables:
            trained = np.asarray(table_rows) >= 0
            vectors[trained] = tables["feature_vectors"][table_rows[trained]]
        return vectors


class FeatureFeed(Feed):
    """The network during a training.

    Parameters
    ----------
    tables, sums : mapping from str to array
        The layers, the standardisation, and AdamW's memory, which are changed in place.
    data : AnnotationSet
        The images with their features.
    """

    def __init__(self, tables: Mapping[str, np.ndarray], sums: Mapping[str, np.ndarray], data: AnnotationSet) -> None:
        room = (min(data.n_images, _IMAGES_PER_LAUNCH), tables["feature_projection"].shape[1])
        super().__init__(FeaturesState(np.zeros(room, np.float32), np.zeros(room, np.float32)))
        self._tables, self._sums, self._features = tables, sums, data.features
        moments = {"steps": sums["feature_weights"][-1:].astype(np.int64)}
        for name in LAYERS:
            for turn, moment in zip("12", sums[name][:-1].reshape(2, *tables[name].shape), strict=True):
                moments[f"{turn}.{name}"] = moment
        self._adamw = AdamW({name: tables[name] for name in LAYERS}, DECAY, np.inf, moments)
        self._batch = self._hidden = np.zeros((0, 0), np.float32)

    def seed(self, seeds: np.random.SeedSequence) -> None:
        """Start an epoch; see `Feed.seed`."""
        self._rng = np.random.default_rng(seeds)

    def begin_launch(self, rows: np.ndarray) -> None:
        """Compute the vectors of the launch's images; see `Feed.begin_launch`."""
        self._batch = self.drawn_batch(rows)
        if len(rows):
            with self._threads():
                vectors, self._hidden = forward(self._batch, self._tables, product)
            self.state.vectors[: len(rows)] = vectors
            self.state.gradients[: len(rows)] = 0

    def drawn_batch(self, rows: np.ndarray) -> np.ndarray:
        """Return the standardised features of some images, with a random share of them hidden."""
        batch = standardised(feature_rows(self._features, rows), self._tables)
        if len(rows):
            batch *= self._rng.random(batch.shape, dtype=np.float32) >= _DROPPED
            batch *= np.float32(1 / (1 - _DROPPED))
        return batch

    def _threads(self) -> AbstractContextManager[int]:
        """Return a context manager for a number of threads that suits the size of the products."""
        n_products = self._batch.size * _HIDDEN
        return threads(min(numba.get_num_threads(), 1 + n_products // _PRODUCTS_PER_THREAD))

    def end_launch(self, learning_rate: float) -> None:
        """Update the layers with the mean gradient; see `Feed.end_launch`."""
        n = len(self._batch)
        if n:
            gradient = self.state.gradients[:n] / np.float32(n)
            with self._threads():
                gradients = backward(self._batch, self._hidden, gradient, self._tables)
                self._adamw.step(gradients, RATE * learning_rate)
            for name in LAYERS:
                self._sums[name][-1] = self._adamw.moments["steps"][0]


@shares_vector.implement(FeaturesState)
def _shares_vector(inputs):
    return True


@prefetch_visit.implement(FeaturesState)
def _prefetch_visit(inputs, row, indptr, indices):
    prefetch(indices, indptr[row])


@gather_visit.implement(FeaturesState)
def _gather_visit(inputs, vectors, visit, indices, adds):
    for s in range(visit.slot, visit.slot + visit.n_slots):
        for f in range(vectors.shape[1]):
            v = inputs.vectors[visit.place, f]
            vectors[s, f] = vectors[s, f] + v if adds else v
    return True


@scatter_visit.implement(FeaturesState)
def _scatter_visit(inputs, optimiser, learning_rate, l2, vectors, numbers, visit, indices):
    for s in range(visit.slot + BLOCK, visit.slot + BLOCK + visit.n_slots):
        for f in range(vectors.shape[1]):
            inputs.gradients[visit.place, f] += vectors[s, f]
