"""Join features to the images of a set, by id or by order."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.features import is_on_disk, selected_features
from vsenumba.data.backbone_id import BackboneId
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError, near_names


def join_features(
    data: AnnotationSet,
    features: Any,
    feature_ids: Iterable[Any] | None = None,
    *,
    backbone: BackboneId | str | None = None,
) -> AnnotationSet:
    """Return a set of the images that have features, with these features.

    Parameters
    ----------
    data : AnnotationSet
        The set. Existing features are replaced.
    features : (n, n_features) array, memory map, HDF5 dataset or sparse array
        See `AnnotationSet`.
    feature_ids : iterable of str, optional
        The id of the image for each row of features. By default, row i belongs to image i, and there must be one row
        per image.
    backbone : BackboneId or str, optional
        The backbone that computed the features.

    Returns
    -------
    AnnotationSet
        The images that have features, in the order of `data`. If the features stay on disk in a different order, the
        images are in the order of the features.

    Raises
    ------
    InputError
        If the number of ids differs from the number of rows; if the number of rows differs from the number of images
        and no ids are given; if no id matches an image; or if a value is not a finite number.

    Warns
    -----
    UserWarning
        If some images have no features, or some features have no image. The message gives the numbers and an example.

    Examples
    --------
    >>> data = AnnotationSet.from_lists([["cat"], ["dog"]], ["a.jpg", "b.jpg"])
    >>> join_features(data, [[2.0], [1.0]], ["b.jpg", "a.jpg"]).features.tolist()
    [[1.0], [2.0]]
    """
    if not hasattr(features, "shape"):
        features = np.asarray(features)
    if len(features.shape) != 2:
        raise InputError(f"features must be one row for each image, (n, n_features), not of shape {features.shape}")
    n_rows = features.shape[0]
    if feature_ids is None:
        if n_rows != data.n_images:
            raise InputError(
                f"there are features for {n_rows:,} images, but the data set has {data.n_images:,}; give "
                "their image ids "
                "with --feature-ids (in Python feature_ids=...)"
            )
        return data.with_features(features, backbone)
    ids = feature_ids if isinstance(feature_ids, Vocabulary) else Vocabulary(feature_ids, "image")
    if len(ids) != n_rows:
        raise InputError(f"there are {len(ids):,} ids for features of {n_rows:,} images")
    at = ids.find(data.image_ids)
    _warn_of_strangers(data, ids, at)
    bare = data if data.features is None else data.with_features(None)
    if np.array_equal(at, np.arange(n_rows)):
        return bare.with_features(features, backbone)
    rows = np.flatnonzero(at >= 0)
    if is_on_disk(features) and len(rows) == n_rows:
        # Reorder the images to match the features, which stay on disk.
        return bare.select_images(rows[np.argsort(at[rows])]).with_features(features, backbone)
    return bare.select_images(rows).with_features(selected_features(features, at[rows]), backbone)


def _warn_of_strangers(data: AnnotationSet, ids: Vocabulary, at: np.ndarray) -> None:
    """Warn of images without features and features without images, and raise an error if nothing matches."""
    without = np.flatnonzero(at < 0)
    used = np.zeros(len(ids), dtype=bool)
    used[at[at >= 0]] = True
    if not used.any():
        image = data.image_ids[0] if data.n_images else ""
        near = near_names(image, ids)
        example = f"; {image!r:.80} is not among them" + (f", the nearest is {near[0]!r:.80}" if near else "")
        raise InputError(
            f"none of the {len(ids):,} ids of features is an image of the data "
            f"set{example if image else ''}; ids must match "
            "exactly, including folders and file endings"
        )
    strangers = np.flatnonzero(~used)
    said = []
    if len(without):
        image = data.image_ids[int(without[0])]
        said.append(f"{len(without):,} of {data.n_images:,} images have no features, such as {image!r:.80}")
    if len(strangers):
        stranger = ids[int(strangers[0])]
        said.append(
            f"{len(strangers):,} of {len(ids):,} features belong to no image of the data set, such as {stranger!r:.80}"
        )
    if said:
        warnings.warn(f"{'; '.join(said)}. They are skipped", UserWarning, stacklevel=3)
