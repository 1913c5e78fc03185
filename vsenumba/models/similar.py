"""Similarity by cosine, of label vectors and of image vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.errors import InputError
from vsenumba.models.questions import Answering, Question, as_names_asked, as_question
from vsenumba.models.suggesting import blocks_of, in_turn

Vectors = Callable[[AnnotationSet, np.ndarray], np.ndarray]


def cosines(vectors: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Return the cosines of vectors, (n, k), with one vector, (n,) float32; minus infinity for vectors of zeros."""
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    products = vectors @ (vector / np.sqrt(vector @ vector))
    empty = lengths == 0
    lengths[empty] = 1
    products /= lengths
    products[empty] = -np.inf
    return products


def likeness_to_row(table: np.ndarray, row: int, what: str) -> np.ndarray:
    """Return the cosines of a table's rows with one of them, (n,) float32; see `cosines`.

    Raises
    ------
    InputError
        If this row is all zeros; the message calls it `what`.
    """
    if not table[row].any():
        raise InputError(f"the vector of {what} is zero, so nothing is similar to it")
    return cosines(table, table[row])


def image_cosines(vectors: Vectors, searched: AnnotationSet, vector: np.ndarray, n_threads: int) -> np.ndarray:
    """Return the cosines of one vector with those of all images of a set, (n_images,) float32."""
    rows = np.arange(searched.n_images)
    blocks = blocks_of(len(rows), len(vector))
    found = in_turn(lambda some: cosines(vectors(searched, rows[some]), vector), blocks, n_threads)
    return np.concatenate([np.zeros(0, np.float32), *found])


def image_asked(model: Answering, searched: AnnotationSet, image: Any, features: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the vector of the query image, and its rows among the images to search.

    Parameters
    ----------
    model : Answering
        The model.
    searched : AnnotationSet
        The images to search.
    image : str, sequence of str or None
        Id of one of these images, or the labels of a new image.
    features : (n_features,) array or None
        Features of the query image.

    Returns
    -------
    vector : (k,) float32 array
        Vector of the query image.
    own : (m,) int64 array
        Row of the query image in `searched`; empty for a new image.

    Raises
    ------
    InputError
        If nothing is known about the query image.
    """
    if features is not None:
        features = features[None] if np.ndim(features) == 1 and hasattr(features, "dtype") else features
        if np.shape(features)[:1] != (1,):
            raise InputError(f"features must be the vector of one image, not of shape {np.shape(features)}")
    if isinstance(image, (str, int, np.integer)):
        own = searched.image_ids.index([image])
        if features is None:
            question = Question.of(searched, own, model)
        else:
            question = as_question(model, searched.with_features(None).select_images(own), features)
    else:
        own = np.zeros(0, np.int64)
        question = as_question(model, None if image is None else [as_names_asked(image, "image")], features)
    if question.knows.any():
        (vector,) = question.scores._vectors(question.known, question.rows)
        if vector.any():
            return vector, own
    what = f"image {image!r}" if len(own) else "the image"
    raise InputError(f"nothing is known about {what}, so no image is similar to it")
