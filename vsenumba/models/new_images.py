"""Scorers that treat all images as new to the model, so that only the labels in a set are known about them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from vsenumba.checks import refuse_masked
from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError
from vsenumba.evaluation import Scorer
from vsenumba.models.devices import scores_on
from vsenumba.models.label_pairs import LabelPairs
from vsenumba.training.annotation.inputs import Inputs

if TYPE_CHECKING:
    from vsenumba.gpu.scoring import CardScores


def checked_factors(factors: Any, n_factors: int) -> np.ndarray:
    """Return the vectors of images as contiguous float32, (n, n_factors).

    Raises
    ------
    InputError
        If they are not finite, or of another length.
    """
    refuse_masked("factors", factors)
    with np.errstate(over="ignore"):  # too large numbers become inf, which the check below finds
        factors = np.ascontiguousarray(factors, dtype=np.float32)
    if factors.ndim != 2 or factors.shape[1] != n_factors:
        raise InputError(f"factors must have the shape (images, {n_factors}), not {factors.shape}")
    bad = np.flatnonzero(~np.isfinite(factors).all(axis=1))
    if len(bad):
        raise InputError(f"row {bad[0]} of factors contains NaN, inf or a number too large for float32")
    return factors


class NewImages:
    """Score with a model that uses nothing but an image's labels; a `Scorer`.

    Parameters
    ----------
    model : Scorer
        The model.
    """

    def __init__(self, model: Scorer) -> None:
        self._model = model

    @property
    def label_names(self) -> Vocabulary:
        """The model's labels."""
        return self._model.label_names

    def align(self, data: AnnotationSet) -> AnnotationSet:
        """Return a set with the model's label columns; see `Annotator.align`."""
        return self._model.align(data)

    def known_for(self, test: AnnotationSet, exclude: AnnotationSet | None) -> AnnotationSet:
        """Return the known labels of a test set's images; see `Annotator.known_for`."""
        return self._model.known_for(test, exclude)

    def knows(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Return the images for which the model can rank labels; see `Annotator.knows`."""
        knows: np.ndarray = self._model.knows(known, rows)  # type: ignore[attr-defined]  # annotators have it
        return knows

    def score_block(
        self, known: AnnotationSet, rows: np.ndarray, labels: slice | np.ndarray = slice(None)
    ) -> np.ndarray:
        """Return the model's scores; see `Annotator.score_block`."""
        scores: np.ndarray = self._model.score_block(known, rows, labels)  # type: ignore[call-arg]  # likewise
        return scores

    def scores_on_device(self, known: AnnotationSet) -> CardScores | None:
        """Return a scorer on the model's device; None for the CPU."""
        return None

    def _vectors(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        vectors: np.ndarray = self._model._vectors(known, rows)  # type: ignore[attr-defined]  # likewise
        return vectors


class UnseenImages(NewImages):
    """Score with a model's vectors as if all images were new: only the labels and features in the set count.

    Parameters
    ----------
    model : Scorer
        The model.
    inputs : Inputs
        How an image is represented.
    tables : mapping from str to array
        The learnt tables.
    pairs : LabelPairs or None
        Weights between labels, which are added to the dot products.
    """

    def __init__(
        self, model: Scorer, inputs: Inputs, tables: Mapping[str, np.ndarray], pairs: LabelPairs | None
    ) -> None:
        super().__init__(model)
        self._inputs = inputs
        self._tables = tables
        self._pairs = pairs

    def knows(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Return the images that have the labels or features that their vectors need."""
        return self._inputs.knows(self._tables, np.full(len(rows), -1), known, rows)

    def score_block(
        self, known: AnnotationSet, rows: np.ndarray, labels: slice | np.ndarray = slice(None)
    ) -> np.ndarray:
        """Return the dot products with the label vectors, plus the weights between labels, if there are any."""
        scores = self._vectors(known, rows) @ self._tables["label_factors"][labels].T
        return scores if self._pairs is None else self._pairs.add_to(scores, known, rows, labels)

    def scores_on_device(self, known: AnnotationSet) -> CardScores | None:
        """Return a scorer on the model's device; None for the CPU."""
        device, vectors = getattr(self._model, "device", "cpu"), functools.partial(self._vectors, known)
        return scores_on(device, vectors, self._tables["label_factors"], self._pairs, known)

    def _vectors(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        return self._inputs.vectors(self._tables, np.full(len(rows), -1), known, rows)


class FoldedImages(NewImages):
    """Score with vectors that were folded in, one for each row of the known set.

    Parameters
    ----------
    model : Scorer
        The model.
    factors : (n_images, k) float32 array
        Vectors of the images; 0 for images about which nothing is known.
    label_factors : (n_labels, k) float32 array
        Vectors of the labels.
    """

    def __init__(self, model: Scorer, factors: np.ndarray, label_factors: np.ndarray) -> None:
        super().__init__(model)
        self._factors = factors
        self._label_factors = label_factors

    def knows(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Return the images whose vector is not 0."""
        return np.asarray(self._factors[rows].any(axis=1))

    def score_block(
        self, known: AnnotationSet, rows: np.ndarray, labels: slice | np.ndarray = slice(None)
    ) -> np.ndarray:
        """Return the dot products with the label vectors."""
        return self._factors[rows] @ self._label_factors[labels].T

    def scores_on_device(self, known: AnnotationSet) -> CardScores | None:
        """Return a scorer on the model's device; None for the CPU."""
        device, vectors = getattr(self._model, "device", "cpu"), functools.partial(self._vectors, known)
        return scores_on(device, vectors, self._label_factors, None, known)

    def _vectors(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        return self._factors[rows]
