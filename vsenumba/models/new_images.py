"""Scorers of images that a model has never seen, whatever their ids: of them it knows the labels in a set, no more."""

from __future__ import annotations

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.evaluation import Scorer


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

    def _image_vectors(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        vectors: np.ndarray = self._model._image_vectors(known, rows)  # type: ignore[attr-defined]  # likewise
        return vectors


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
        """Return which images have a vector; of those without any label it is 0."""
        return np.asarray(self._factors[rows].any(axis=1))

    def score_block(
        self, known: AnnotationSet, rows: np.ndarray, labels: slice | np.ndarray = slice(None)
    ) -> np.ndarray:
        """Return the products with the labels' vectors."""
        return self._factors[rows] @ self._label_factors[labels].T

    def _image_vectors(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        return self._factors[rows]
