"""Whatever people have, as an annotation set, where it can be read in one way only."""

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
    """Return an `AnnotationSet` as it is, or make one of whatever holds images and their labels.

    A collection of lists, tuples or sets is a list of labels for each image, whatever they are; so is a mapping from
    image ids to them. A matrix is an array or a SciPy matrix. A data frame, of pandas, Polars, PyArrow or what narwhals
    knows, has a column of images and one of labels under usual names, or lists in a column, or a column for each label,
    of zeros and ones; images can be its index. A path or the name of a data set is given to `load_dataset`.

    Parameters
    ----------
    data : AnnotationSet, collection of collections, mapping, array, sparse matrix, data frame, path or name
        What to make it from.
    argument : str
        What it is called in messages.

    Raises
    ------
    InputError
        If `data` is none of these, or can be read in two ways; the message names `argument` and the constructors.
    FileFormatError
        If it is a path; see `read_annotations`.

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
