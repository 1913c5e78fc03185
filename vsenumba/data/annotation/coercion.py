"""Whatever people have, as an annotation set, where it can be read in one way only."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np
import scipy.sparse as sp

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.vocabulary import NumberedVocabulary, Vocabulary
from vsenumba.errors import InputError

_CONSTRUCTORS = (
    "AnnotationSet.from_pairs(images, labels) takes two columns, AnnotationSet.from_lists(lists, image_ids) a list of "
    "labels for each image, AnnotationSet.from_csr(matrix, image_ids, label_names) a matrix, load_dataset(path) a file"
)


def as_annotation_set(data: Any, argument: str = "X") -> AnnotationSet:
    """Return an `AnnotationSet` as it is, or make one from label lists or a matrix.

    A collection of lists, tuples or sets is a list of labels for each image, whatever they are; so is a column of such
    of a data frame, and a mapping from image ids to them. A matrix is an array, a SciPy matrix, or a data frame of
    zeros and ones whose columns are labels.

    Parameters
    ----------
    data : AnnotationSet, collection of collections, mapping, array, sparse matrix or data frame
        What to make it from.
    argument : str
        What it is called in messages.

    Raises
    ------
    InputError
        If `data` is none of these, or can be read in two ways; the message names `argument` and the constructors.

    Examples
    --------
    >>> as_annotation_set([[7, 3], [3]])
    <AnnotationSet: 2 images, 2 labels, 3 pairs>
    >>> as_annotation_set({"a.jpg": {"cat", "animal"}}).labels_of("a.jpg")
    ['animal', 'cat']
    """
    if isinstance(data, AnnotationSet):
        return data
    if isinstance(data, (str, bytes)) or data is None:
        raise InputError(f"{argument} must be an AnnotationSet, a matrix or label lists, not {data!r}")
    if sp.issparse(data):  # before mappings: one of SciPy's formats is one
        return AnnotationSet.from_csr(data)
    if isinstance(data, Mapping):
        return _from_lists(list(data.values()), list(data), argument)
    if hasattr(data, "columns") and hasattr(data, "shape"):
        return _from_frame(data, argument)
    if not _is_collection(data):
        return AnnotationSet.from_csr(data)
    if isinstance(data, Set):
        raise InputError(f"{argument} is a set, which has no order to number images by; {_CONSTRUCTORS}")
    return _from_lists(list(data), _ids_of(getattr(data, "index", None)), argument)


def matched_or_new(data: AnnotationSet, image_ids: Vocabulary) -> AnnotationSet:
    """Return a set that came without ids as a model's images, or with ids that no model has.

    Parameters
    ----------
    data : AnnotationSet
        Made of label lists or of a matrix. Where its images have ids of their own, it is returned as it is.
    image_ids : Vocabulary
        The model's images. They are meant if there are as many; images of another number are others, whatever their
        numbers, and are called "new image 0", ...
    """
    if not isinstance(data.image_ids, NumberedVocabulary):
        return data
    new = Vocabulary.numbered(data.n_images, "image", "new image ")
    ids = image_ids if data.n_images == len(image_ids) else new
    return AnnotationSet(data.indptr, data.indices, data.n_labels, ids, data.label_names)


def with_free_ids(data: AnnotationSet, image_ids: Vocabulary) -> AnnotationSet:
    """Return a set whose images have ids that are not among some others: numbers."""
    free = (str(n) for n in itertools.count(len(image_ids)) if str(n) not in image_ids)
    ids = list(itertools.islice(free, data.n_images))
    fresh = AnnotationSet(data.indptr, data.indices, data.n_labels, ids, data.label_names)
    return fresh.with_features_of(data)


def _is_collection(data: Any) -> bool:
    """Tell whether it is a row of things: no array of two dimensions, nor anything that turns into one."""
    if isinstance(data, np.ndarray):
        return data.ndim == 1 and data.dtype == object
    return isinstance(data, Iterable) and (getattr(data, "ndim", 1) == 1) and not hasattr(data, "__array_interface__")


def _from_lists(lists: list[Any], ids: list[Any] | None, argument: str) -> AnnotationSet:
    rows = [one for one in lists if isinstance(one, np.ndarray) and one.dtype.kind in "biuf"]
    if rows:
        raise InputError(
            f"{argument} is a list of arrays of numbers, which could be rows of a matrix, np.vstack(...), or labels, "
            "[row.tolist() for row in ...]; say which"
        )
    if ids is None and len(lists) > 1 and all(isinstance(one, tuple) and len(one) == 2 for one in lists):
        raise InputError(
            f"{argument} is a list of tuples of two, which could be pairs, AnnotationSet.from_pairs(*zip(*pairs)), or "
            "images of two labels each, [list(labels) for labels in ...]; say which"
        )
    for i, one in enumerate(lists):
        if not _is_list(one):
            raise InputError(
                f"{argument} holds {one!r:.60} at {i}, where the labels of an image are expected; {_CONSTRUCTORS}"
            )
    return AnnotationSet.from_lists(lists, ids)


def _is_list(cell: Any) -> bool:
    return isinstance(cell, Iterable) and not isinstance(cell, (str, bytes))


def _ids_of(index: Any) -> list[Any] | None:
    """Return the names of a data frame's rows; None for the numbers 0, 1, ... that are there by default."""
    by_default = getattr(index, "start", None) == 0 and getattr(index, "step", None) == 1
    return None if index is None or callable(index) or by_default else list(index)


def _from_frame(frame: Any, argument: str) -> AnnotationSet:
    """Return the set of a frame of zeros and ones; a table of pairs is asked about."""
    values = np.asarray(frame)
    if values.dtype.kind not in "biuf" or not np.isin(values, (0, 1)).all():
        names = [str(name) for name in frame.columns]
        lists = [name for name, cell in zip(names, values[0] if len(values) else (), strict=False) if _is_list(cell)]
        ids = "".join(f", table[{name!r}]" for name in names if name not in lists)
        way = (
            f"AnnotationSet.from_lists(table[{lists[0]!r}]{ids}) takes a column of lists of labels, and one of images"
            if lists
            else f"AnnotationSet.from_pairs(table[{names[0]!r}], table[{names[-1]!r}]) takes a column of images and "
            "one of labels, AnnotationSet.from_csr(table.to_numpy(), table.index, table.columns) a matrix of counts"
        )
        raise InputError(
            f"{argument} is a table with the columns {', '.join(names):.100}, not one of zeros and ones; {way}"
        )
    return AnnotationSet.from_csr(values, _ids_of(getattr(frame, "index", None)), frame.columns)
