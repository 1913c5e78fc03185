"""Sets that come in parts: files with some of the images each."""

from __future__ import annotations

from os import PathLike, fspath
from typing import Any

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.catalogue import load_dataset
from vsenumba.errors import InputError


def whole_of(parts: Any) -> Any:
    """Return the set of all images that some files have, or what is no path or sequence of paths as it is.

    Raises
    ------
    InputError
        If a file has no pairs, or an image is in two of them; the files are named.
    """
    paths = [parts] if isinstance(parts, (str, PathLike)) else parts
    if not isinstance(paths, (list, tuple)) or not paths or not all(isinstance(one, (str, PathLike)) for one in paths):
        return parts
    loaded = [(fspath(path), load_dataset(path)) for path in paths]
    for path, data in loaded:
        if not data.n_pairs:
            raise InputError(f"the part {path} has no pairs")
    while len(loaded) > 1:
        # Two by two: one after the other would copy the first ones again and again.
        joined = [_joined(*two) for two in zip(loaded[::2], loaded[1::2], strict=False)]
        loaded = joined + loaded[2 * len(joined) :]
    return loaded[0][1]


def _joined(first: tuple[str, AnnotationSet], second: tuple[str, AnnotationSet]) -> tuple[str, AnnotationSet]:
    (path, data), (other_path, other) = first, second
    twice = np.flatnonzero(data.image_ids.find(other.image_ids) >= 0)
    if len(twice):
        raise InputError(
            f"the image {other.image_ids[int(twice[0])]!r} is in two parts, in {path} and in {other_path}: every image "
            "must be in one, and have an id of its own"
        )
    return f"{path}, {other_path}", data.union(other)
