"""Pruning: remove labels and images that are too rare to learn from."""

from __future__ import annotations

from typing import Any

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.coercion import as_annotation_set
from vsenumba.data.annotation.features import selected_features
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError


def prune(data: Any, min_images_per_label: int, min_labels_per_image: int) -> AnnotationSet:
    """Remove rare labels and images with few labels, and repeat until nothing more can be removed.

    Parameters
    ----------
    data : AnnotationSet, label lists, mapping or matrix
        The set. It is not changed.
    min_images_per_label : int
        Labels with fewer images are removed.
    min_labels_per_image : int
        Images with fewer labels are removed.

    Returns
    -------
    AnnotationSet
        The largest part of the set in which every label has enough images and every image enough labels.

    Raises
    ------
    InputError
        If nothing is left.

    Examples
    --------
    >>> data = AnnotationSet.from_lists([["cat", "animal"], ["cat", "animal"], ["cat", "chair"]])
    >>> prune(data, 2, 2)
    <AnnotationSet: 2 images, 2 labels, 4 pairs>
    """
    data = as_annotation_set(data, "data")
    rows, columns = data.pairs()
    images, labels = data.labels_per_image, data.label_counts
    while True:
        keep = (images[rows] >= min_labels_per_image) & (labels[columns] >= min_images_per_label)
        if keep.all():
            break
        rows, columns = rows[keep], columns[keep]
        images = np.bincount(rows, minlength=data.n_images)
        labels = np.bincount(columns, minlength=data.n_labels)
    kept_images = np.flatnonzero(images >= min_labels_per_image)
    kept_labels = np.flatnonzero(labels >= min_images_per_label)
    if not len(kept_images) or not len(kept_labels):
        raise InputError(
            f"nothing is left of {data!r} with min_images_per_label={min_images_per_label} and "
            f"min_labels_per_image={min_labels_per_image}; use smaller values"
        )
    new_column = np.where(labels >= min_images_per_label, np.cumsum(labels >= min_images_per_label) - 1, -1)
    indptr = np.concatenate(([0], np.cumsum(images[kept_images])))
    absent = data.absent and data.absent.select(kept_images).with_columns(new_column, len(kept_labels))
    return AnnotationSet(
        indptr,
        new_column[columns],
        len(kept_labels),
        Vocabulary(data.image_ids.take(kept_images), "image"),
        Vocabulary(data.label_names.take(kept_labels), "label"),
        selected_features(data.features, kept_images),
        None if data.titles is None else data.titles[kept_images],
        backbone=data.backbone,
        absent=absent,
    )
