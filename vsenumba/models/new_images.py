"""Scorers of images that a model has never seen, whatever their ids: of them it knows the labels in a set, no more."""

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
    """Return images' vectors as contiguous float32, (n, n_factors).

    Raises
    ------
    InputError
        If they are not finite, or of another length.
    """
    refuse_masked("factors", factors)
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes inf, and is refused as such
        factors = np.ascontiguousarray(factors, dtype=np.float32)
    if factors.ndim != 2 or factors.shape[1] != n_factors:
        raise InputError(f"factors must be (images, {n_factors}), not {factors.shape}")
    bad = np.flatnonzero(~np.isfinite(factors).all(axis=1))
    if len(bad):
        raise InputError(f"row {bad[0]} of factors holds NaN, inf or a number too large for float32")
    return factors


class NewImages:
    """Score as a model does that goes by an image's labels; a `Scorer`.

    Parameters
    ----------
    model : Scorer
        The model.
    """

    def __init__(self, model: Scorer) -> None:
        self._model = model

    @property
    def label_names(self) -> Vocabulary:
        """Those of the model."""
        return self._model.label_names

    def align(self, data: AnnotationSet) -> AnnotationSet:
        """Have the model do it."""
        return self._model.align(data)

    def known_for(self, test: AnnotationSet, exclude: AnnotationSet | None) -> AnnotationSet:
        """Have the model do it."""
        return self._model.known_for(test, exclude)

    def knows(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Have the model do it."""
        knows: np.ndarray = self._model.knows(known, rows)  # type: ignore[attr-defined]  # annotators have it
        return knows

    def score_block(
        self, known: AnnotationSet, rows: np.ndarray, labels: slice | np.ndarray = slice(None)
    ) -> np.ndarray:
        """Have the model do it."""
        scores: np.ndarray = self._model.score_block(known, rows, labels)  # type: ignore[call-arg]  # likewise
        return scores

    def scores_on_device(self, known: AnnotationSet) -> CardScores | None:
        """Return what scores on the model's device; None for the processor."""
        return None

    def _vectors(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        vectors: np.ndarray = self._model._vectors(known, rows)  # type: ignore[attr-defined]  # likewise
        return vectors


class UnseenImages(NewImages):
    """Score as a model does, but as if it had seen none of the images: of each it knows what the set says of it.

    Parameters
    ----------
    model : Scorer
        The model.
    inputs : Inputs
        What stands for an image.
    tables : mapping from str to array
        What was learnt.
    pairs : LabelPairs or None
        What is added to the products of vectors.
    """

    def __init__(
        self, model: Scorer, inputs: Inputs, tables: Mapping[str, np.ndarray], pairs: LabelPairs | None
    ) -> None:
        super().__init__(model)
        self._inputs = inputs
        self._tables = tables
        self._pairs = pairs

    def knows(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Return which images have what a vector is made of."""
        return self._inputs.knows(self._tables, np.full(len(rows), -1), known, rows)

    def score_block(
        self, known: AnnotationSet, rows: np.ndarray, labels: slice | np.ndarray = slice(None)
    ) -> np.ndarray:
        """Return the products with the labels' vectors, and what pairs of labels add."""
        scores = self._vectors(known, rows) @ self._tables["label_factors"][labels].T
        return scores if self._pairs is None else self._pairs.add_to(scores, known, rows, labels)

    def scores_on_device(self, known: AnnotationSet) -> CardScores | None:
        """Return what scores on the model's device; None for the processor."""
        device, vectors = getattr(self._model, "device", "cpu"), functools.partial(self._vectors, known)
        return scores_on(device, vectors, self._tables["label_factors"], self._pairs, known)

    def _vectors(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        return self._inputs.vectors(self._tables, np.full(len(rows), -1), known, rows)


class FoldedImages(NewImages):
    """Score by vectors that were folded in, one for each row of what is known.

    Parameters
    ----------
    model : Scorer
        The model.
    factors : (n_images, k) float32 array
        The images' vectors; 0 for those of which nothing is known.
    label_factors : (n_labels, k) float32 array
        The labels'.
    """

    def __init__(self, model: Scorer, factors: np.ndarray, label_factors: np.ndarray) -> None:
        super().__init__(model)
        self._factors = factors
        self._label_factors = label_factors

    def knows(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Return which images have a vector; of those of which nothing is known it is 0."""
        return np.asarray(self._factors[rows].any(axis=1))

    def score_block(
        self, known: AnnotationSet, rows: np.ndarray, labels: slice | np.ndarray = slice(None)
    ) -> np.ndarray:
        """Return the products with the labels' vectors."""
        return self._factors[rows] @ self._label_factors[labels].T

    def scores_on_device(self, known: AnnotationSet) -> CardScores | None:
        """Return what scores on the model's device; None for the processor."""
        device, vectors = getattr(self._model, "device", "cpu"), functools.partial(self._vectors, known)
        return scores_on(device, vectors, self._label_factors, None, known)

    def _vectors(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        return self._factors[rows]
