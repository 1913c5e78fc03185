"""The sets of an evaluation, matched to the model: a matrix by its places, images by their ids, pairs by both."""

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
    """Return what was given for `test` or `exclude` as a set.

    Parameters
    ----------
    argument : {"test", "exclude"}
        What it was given for, for messages.
    data, other : AnnotationSet, matrix or list of label lists
        What was given, and what was given for the other of the two. A matrix takes the model's labels and the other's
        images; where the other has no ids, the model's images, or new ones.
    label_names, image_ids : Vocabulary
        What the model knows; None where it knows no images.

    Raises
    ------
    InputError
        If a matrix does not fit the model's labels or the other's rows.
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
            f"{argument} has shape {tuple(shape)}, but the model has {len(label_names):,} labels, one per "
            "column; did you pass the transpose?"
        )
    n_others = other.shape[0] if hasattr(other, "shape") else shape[0]
    if shape[0] != n_others:
        raise InputError(
            f"{argument} has {shape[0]:,} rows, but the other of test and exclude has {n_others:,}; a matrix "
            "needs one row per image in the same order; did you pass the transpose?"
        )
    image_ids = other.image_ids if isinstance(other, AnnotationSet) else None
    return AnnotationSet.from_csr(data, image_ids, label_names)


def check_images(
    model: Scorer, test: AnnotationSet, excluded: AnnotationSet | None, known: AnnotationSet, rows: np.ndarray
) -> None:
    """Refuse test images of which nothing is known, as where ids were read as other text; warn of some of them.

    Parameters
    ----------
    model : Scorer
        What is evaluated.
    test, excluded, known : AnnotationSet
        The aligned test set, what is excluded from the rankings (or None), and what is known of the test images.
    rows : (n,) int64 array
        The rows of `test` that are evaluated.

    Raises
    ------
    InputError
        If nothing is known of any image.

    Warns
    -----
    UserWarning
        If nothing is known of some images.
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
            raise InputError(f"no image of the test set is known to the model or to exclude: {examples}")
        warnings.warn(
            f"{len(ids):,} of {len(rows):,} test images are known neither to the model nor to exclude, so that their "
            f"labels are ranked without a clue: {examples}",
            UserWarning,
            stacklevel=3,
        )
    elif hasattr(model, "knows") and not model.knows(known, rows).any():
        raise InputError(
            f"the model knows nothing of any test image, such as {test.image_ids[int(rows[0])]!r}: neither a label by "
            "what is excluded, nor a row that was trained"
        )


def warn_of_seen_pairs(seen: AnnotationSet | None, test: AnnotationSet, excluded: AnnotationSet | None) -> None:
    """Say how many test pairs a model was trained on: it ranks them better than it would others.

    Parameters
    ----------
    seen : AnnotationSet or None
        What the model was trained on, if it says so.
    test, excluded : AnnotationSet
        The aligned test set, and what is excluded from the rankings (or None).

    Warns
    -----
    UserWarning
        If there are such pairs.
    """
    # What is excluded is no test pair: that is checked while ranks are counted.
    if seen is None or (excluded is not None and _same_pairs(seen, excluded)):
        return
    if test.image_ids == Vocabulary.numbered(test.n_images, "image"):
        return  # Images without ids of their own, as those of a matrix: the same numbers need not mean the same images.
    rows, columns = test.pairs()
    seen_rows, seen_columns = seen.reindex_images(test.image_ids).pairs()
    n_labels = test.n_labels
    again = np.isin(rows * n_labels + columns, seen_rows * n_labels + seen_columns, assume_unique=True)
    if again.any():
        warnings.warn(
            f"the model was trained on {again.sum():,} of the {test.n_pairs:,} test pairs, which flatters it; evaluate "
            "a model that was fitted without them",
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
