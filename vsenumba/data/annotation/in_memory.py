"""Convert data in memory to an annotation set, if there is only one way to interpret it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np
import scipy.sparse as sp

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.readers.frames import FrameReading, as_frame, ids_of, is_frame
from vsenumba.data.annotation.readers.options import TableOptions, check_values, refuse_options
from vsenumba.errors import FileFormatError, InputError

_CONSTRUCTORS = (
    "use AnnotationSet.from_pairs(images, labels) for two columns, AnnotationSet.from_lists(lists, image_ids) for a "
    "list of labels per image, AnnotationSet.from_csr(matrix, image_ids, label_names) for a matrix, or "
    "load_dataset(path) for a file"
)


def from_memory(data: Any, argument: str, options: TableOptions | None = None) -> AnnotationSet:
    """Make a set from label lists, a mapping, a matrix or a data frame.

    Parameters
    ----------
    data : collection of collections, mapping, array, sparse matrix or data frame
        The data to convert.
    argument : str
        The name of the argument, for error messages.
    options : TableOptions, optional
        How to read a data frame.

    Raises
    ------
    InputError
        If `data` is none of these, or is ambiguous. The message names the constructors.

    Examples
    --------
    >>> from_memory({"a.jpg": ["cat"]}, "X")
    <AnnotationSet: 1 images, 1 labels, 1 pairs>
    """
    options = options or TableOptions()
    check_values(options)
    if options.format is not None:
        raise InputError(f"format={options.format!r:.60} is only for files, and {argument} is not a file")
    if isinstance(data, (str, bytes)) or data is None:
        raise InputError(f"{argument} must be an AnnotationSet, a matrix or label lists, not {data!r:.60}")
    # Check for sparse matrices first, as one of SciPy's formats is a mapping.
    if not sp.issparse(data) and not isinstance(data, (Mapping, np.ndarray)) and is_frame(data):
        return _from_frame(data, argument, options)
    refuse_options(argument, options)
    if sp.issparse(data):
        return AnnotationSet.from_csr(data)
    if isinstance(data, Mapping):
        return _from_lists(list(data.values()), list(data), argument)
    if not _is_collection(data):
        return AnnotationSet.from_csr(data)
    if isinstance(data, Set):
        raise InputError(f"{argument} is a set, which has no order; {_CONSTRUCTORS}")
    return _from_lists(list(data), ids_of(getattr(data, "index", None)), argument)


def _from_frame(data: Any, argument: str, options: TableOptions) -> AnnotationSet:
    try:
        frame = as_frame(data)
        reading = FrameReading(frame, options)
        reading.add(frame)
        return reading.annotation_set()
    except (FileFormatError, InputError) as error:
        raise InputError(f"{argument}: {error}") from error


def _is_collection(data: Any) -> bool:
    """Return whether it is a one-dimensional collection, not a matrix or something that converts to one."""
    if isinstance(data, np.ndarray):
        return data.ndim == 1 and data.dtype == object
    return isinstance(data, Iterable) and (getattr(data, "ndim", 1) == 1) and not hasattr(data, "__array_interface__")


def _from_lists(lists: list[Any], ids: list[Any] | None, argument: str) -> AnnotationSet:
    rows = [one for one in lists if isinstance(one, np.ndarray) and one.dtype.kind in "biuf"]
    if rows:
        raise InputError(
            f"{argument} is a list of arrays of numbers, which is ambiguous; pass np.vstack(...) for the "
            "rows of a matrix, or "
            "[row.tolist() for row in ...] for lists of labels"
        )
    if ids is None and len(lists) > 1 and all(isinstance(one, tuple) and len(one) == 2 for one in lists):
        raise InputError(
            f"{argument} is a list of pairs, which is ambiguous; pass "
            "AnnotationSet.from_pairs(*zip(*pairs)) for (image, label) pairs, or "
            "[list(labels) for labels in ...] for images with two labels each"
        )
    for i, one in enumerate(lists):
        if not _is_list(one):
            raise InputError(
                f"{argument} has {one!r:.60} at index {i}, where the labels of an image are expected; {_CONSTRUCTORS}"
            )
    return AnnotationSet.from_lists(lists, ids)


def _is_list(cell: Any) -> bool:
    return isinstance(cell, Iterable) and not isinstance(cell, (str, bytes))
