"""Convert many kinds of input to an annotation set, if there is only one way to interpret them."""

from __future__ import annotations

import itertools
from os import PathLike
from typing import Any

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.catalogue import load_dataset
from vsenumba.data.annotation.in_memory import from_memory
from vsenumba.data.vocabulary import NumberedVocabulary, Vocabulary
from vsenumba.errors import InputError, UnknownNameError


def as_annotation_set(data: Any, argument: str = "X") -> AnnotationSet:
    """Return an `AnnotationSet` unchanged, or make one from other data about images and labels.

    - A collection of lists, tuples or sets has the labels of each image. A mapping has them by image id.
    - A matrix is a NumPy array or a SciPy matrix.
    - A data frame can come from pandas, Polars, PyArrow or any library that narwhals supports. It has an image column
      and a label column with usual names, a column of lists, or a column of zeros and ones for each label. The images
      can be its index.
    - A path or a data set name is passed to `load_dataset`.

    Parameters
    ----------
    data : AnnotationSet, collection of collections, mapping, array, sparse matrix, data frame, path or name
        The data to convert.
    argument : str
        The name of the argument, for error messages.

    Raises
    ------
    InputError
        If `data` is none of these, or is ambiguous. The message names `argument` and the constructors.
    FileFormatError
        If `data` is a path to a file that cannot be read. See `read_annotations`.

    Examples
    --------
    >>> as_annotation_set([[7, 3], [3]])
    <AnnotationSet: 2 images, 2 labels, 3 pairs>
    >>> as_annotation_set({"a.jpg": {"cat", "animal"}}).labels_of("a.jpg")
    ['animal', 'cat']
    """
    if isinstance(data, AnnotationSet):
        return data
    if not isinstance(data, (str, PathLike)):
        return from_memory(data, argument)
    try:
        return load_dataset(data)
    except UnknownNameError as error:
        raise InputError(
            f"{argument} is {str(data)!r:.80}, which was read as a data set name or a file: {error}"
        ) from error


def matched_or_new(data: AnnotationSet, image_ids: Vocabulary) -> AnnotationSet:
    """Return a set without ids as a set of the model's images, or of new images.

    Parameters
    ----------
    data : AnnotationSet
        A set made from label lists or a matrix. If its images already have ids, it is returned unchanged.
    image_ids : Vocabulary
        The model's images. If `data` has the same number of images, it gets these ids. Otherwise its images are new,
        and are named "new image 0", "new image 1", ...
    """
    if not isinstance(data.image_ids, NumberedVocabulary):
        return data
    new = Vocabulary.numbered(data.n_images, "image", "new image ")
    ids = image_ids if data.n_images == len(image_ids) else new
    return AnnotationSet(data.indptr, data.indices, data.n_labels, ids, data.label_names)


def with_free_ids(data: AnnotationSet, image_ids: Vocabulary) -> AnnotationSet:
    """Return the set with numbers as image ids, none of which is in `image_ids`."""
    free = (str(n) for n in itertools.count(len(image_ids)) if str(n) not in image_ids)
    ids = list(itertools.islice(free, data.n_images))
    fresh = AnnotationSet(data.indptr, data.indices, data.n_labels, ids, data.label_names)
    return fresh.with_features_of(data)
