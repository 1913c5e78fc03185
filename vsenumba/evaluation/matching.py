"""Matching the sets of an evaluation to the model: matrices by position, images by id, pairs by both."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.coercion import as_annotation_set, matched_or_new
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError, unknown_name
from vsenumba.evaluation.scorer import Scorer


def matched_set(
    argument: str, data: Any, other: Any, label_names: Vocabulary, image_ids: Vocabulary | None
) -> AnnotationSet:
    """Return the `test` or `exclude` argument as a set.

    Parameters
    ----------
    argument : {"test", "exclude"}
        Name of the argument, for messages.
    data : AnnotationSet, matrix or list of label lists
        The argument. A matrix gets the model's labels and the images of `other`. If `other` has no image ids, it gets
        the model's images if it has as many rows, and new images otherwise.
    other : AnnotationSet, matrix or list of label lists
        The other one of the two arguments.
    label_names, image_ids : Vocabulary
        The labels and images that the model knows; `image_ids` is None if it knows no images.

    Raises
    ------
    InputError
        If a matrix does not fit the model's labels or the rows of `other`.
    """
    if isinstance(data, AnnotationSet):
        return data
    made = _made(argument, data, other, label_names)
    return made if image_ids is None or isinstance(other, AnnotationSet) else matched_or_new(made, image_ids)


def _made(argument: str, data: Any, other: Any, label_names: Vocabulary) -> AnnotationSet:
    shape = getattr(data, "shape", None)
    # The columns of a data frame have names.
    if shape is None or len(shape) != 2 or hasattr(data, "columns"):
        return as_annotation_set(data, argument)
    if shape[1] != len(label_names):
        raise InputError(
            f"{argument} has shape {tuple(shape)}, but it needs {len(label_names):,} columns, one for each label of "
            "the model; did you pass the transpose?"
        )
    n_others = other.shape[0] if hasattr(other, "shape") else shape[0]
    if shape[0] != n_others:
        raise InputError(
            f"{argument} has {shape[0]:,} rows, but the other of test and exclude has {n_others:,}; a matrix "
            "needs one row per image, in the same order; did you pass the transpose?"
        )
    image_ids = other.image_ids if isinstance(other, AnnotationSet) else None
    return AnnotationSet.from_csr(data, image_ids, label_names)


def check_images(
    model: Scorer, test: AnnotationSet, excluded: AnnotationSet | None, known: AnnotationSet, rows: np.ndarray
) -> None:
    """Raise an error if nothing is known about any test image, and warn if nothing is known about some of them.

    This finds mistakes such as image ids that were read in a different form.

    Parameters
    ----------
    model : Scorer
        The model.
    test : AnnotationSet
        The aligned test set.
    excluded : AnnotationSet or None
        The pairs that are excluded from the rankings.
    known : AnnotationSet
        The known labels of the test images.
    rows : (n,) int64 array
        Rows of `test` to evaluate.

    Raises
    ------
    InputError
        If nothing is known about any image.

    Warns
    -----
    UserWarning
        If nothing is known about some images.
    """
    if known.features is not None and getattr(model, "uses_features", False):
        return
    vocabularies = [getattr(excluded, "image_ids", None), getattr(model, "image_ids_", None)]
    sources = [one for one in vocabularies if one is not None]
    unknown = np.full(len(rows), bool(sources))
    for source in sources:
        same = source is test.image_ids or source == test.image_ids
        unknown &= False if same else source.find(test.image_ids.take(rows)) < 0
        if not unknown.any():
            break
    if unknown.any():
        ids = test.image_ids.take(rows[unknown])
        examples = "; ".join(str(unknown_name("image", name, sources[0])) for name in ids[:2])
        if unknown.all():
            raise InputError(f"neither the model nor exclude contains any image of the test set: {examples}")
        warnings.warn(
            f"{len(ids):,} of {len(rows):,} test images are neither in the model nor in exclude, so their labels are "
            f"ranked without any information: {examples}",
            UserWarning,
            stacklevel=3,
        )
    elif hasattr(model, "knows") and not model.knows(known, rows).any():
        raise InputError(
            f"the model knows nothing about any test image, such as {test.image_ids[int(rows[0])]!r}: the image has no "
            "label in exclude, and no trained row"
        )


def warn_of_seen_pairs(seen: AnnotationSet | None, test: AnnotationSet, excluded: AnnotationSet | None) -> None:
    """Warn about test pairs that the model was trained on, because it ranks these better than others.

    Parameters
    ----------
    seen : AnnotationSet or None
        The model's training set, if known.
    test : AnnotationSet
        The aligned test set.
    excluded : AnnotationSet or None
        The pairs that are excluded from the rankings.

    Warns
    -----
    UserWarning
        If there are such pairs.
    """
    # Excluded pairs cannot be test pairs. The count of ranks checks that.
    if seen is None or (excluded is not None and _same_pairs(seen, excluded)):
        return
    if test.image_ids == Vocabulary.numbered(test.n_images, "image"):
        return  # Images without ids, such as the rows of a matrix: equal numbers need not mean the same image.
    rows, columns = test.pairs()
    seen_rows, seen_columns = seen.reindex_images(test.image_ids).pairs()
    n_labels = test.n_labels
    again = np.isin(rows * n_labels + columns, seen_rows * n_labels + seen_columns, assume_unique=True)
    if again.any():
        warnings.warn(
            f"the model was trained on {again.sum():,} of the {test.n_pairs:,} test pairs, so its scores are too high; "
            "evaluate a model that was fitted without them",
            UserWarning,
            stacklevel=3,
        )


def _same_pairs(one: AnnotationSet, other: AnnotationSet) -> bool:
    return one is other or (
        one.shape == other.shape
        and np.array_equal(one.indices, other.indices)
        and np.array_equal(one.indptr, other.indptr)
        and one.image_ids == other.image_ids
        and one.label_names == other.label_names
    )
