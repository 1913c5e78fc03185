"""Join data sets that are divided among several files."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from vsenumba.checks import paths_of
from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.catalogue import load_dataset
from vsenumba.data.annotation.features import is_on_disk
from vsenumba.data.annotation.readers import native
from vsenumba.data.annotation.stacked_features import StackedFeatures
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError


def whole_of(parts: Any) -> Any:
    """Load files that each contain some of the images, and return the set of all images.

    If the files are large together, the pairs and features of vsenumba files stay on disk.

    Parameters
    ----------
    parts : path, sequence of paths, or object
        The files. Anything else is returned unchanged.

    Returns
    -------
    AnnotationSet or object

    Raises
    ------
    InputError
        If a file has no pairs, an image is in two files, or the labels or features of the files do not match. The
        message names the files.
    """
    paths = paths_of(parts)
    if paths is None:
        return parts
    files = [Path(path) for path in paths if Path(path).is_file()]
    on_disk = sum(path.stat().st_size for path in files) > native.MAPPED_BYTES
    loaded = [(fspath(path), _loaded(path, on_disk=on_disk)) for path in paths]
    for path, data in loaded:
        if not data.n_pairs:
            raise InputError(f"the part {path} has no pairs")
    if len(loaded) == 1:
        return loaded[0][1]
    _check_labels(loaded)
    _check_features(loaded)
    features: list[Any] = [data.features for _, data in loaded]
    # Features in memory are joined by `union` below.
    stacked = all(map(is_on_disk, features)) and len({one.dtype for one in features}) == 1
    if stacked:
        loaded = [(path, data.with_features(None)) for path, data in loaded]
    backbone = loaded[0][1].backbone
    while len(loaded) > 1:
        # Joining pairs of sets copies less than adding the sets one by one.
        joined = [_joined(*two) for two in zip(loaded[::2], loaded[1::2], strict=False)]
        loaded = joined + loaded[2 * len(joined) :]
    whole = loaded[0][1]
    return whole.with_features(StackedFeatures(features), backbone) if stacked else whole


def _loaded(path: str | PathLike[str], *, on_disk: bool) -> AnnotationSet:
    if on_disk and Path(path).is_file():
        with Path(path).open("rb") as file:
            if native.recognises(Path(path), file.read(64)):
                return native.read_set(Path(path), on_disk=True)
    return load_dataset(path)


def _check_labels(loaded: Sequence[tuple[str, AnnotationSet]]) -> None:
    """Check that all sets have named labels, or all have the same number of unnamed labels."""
    (path, data), *others = loaded
    for other_path, other in others:
        numbered = [one.label_names == Vocabulary.numbered(one.n_labels, "label") for one in (data, other)]
        if numbered[0] != numbered[1] or (numbered[0] and data.n_labels != other.n_labels):
            raise InputError(
                f"the labels of {path} ({_described(data)}) and of {other_path} ({_described(other)}) do not "
                "match: labels without names must be the same columns in all files; otherwise, name the labels"
            )


def _described(data: AnnotationSet) -> str:
    return f"{data.n_labels:,}: {', '.join(data.label_names.take(np.arange(min(3, data.n_labels))))}, ..."


def _check_features(loaded: Sequence[tuple[str, AnnotationSet]]) -> None:
    (path, data), *others = loaded
    for other_path, other in others:
        for what in ("n_features", "backbone"):
            mine, its = getattr(data, what), getattr(other, what)
            if mine != its:
                raise InputError(f"the features of {path} and of {other_path} do not match: {what} is {mine} and {its}")


def _joined(first: tuple[str, AnnotationSet], second: tuple[str, AnnotationSet]) -> tuple[str, AnnotationSet]:
    (path, data), (other_path, other) = first, second
    twice = np.flatnonzero(data.image_ids.find(other.image_ids) >= 0)
    if len(twice):
        raise InputError(
            f"the image {other.image_ids[int(twice[0])]!r} is in two parts, in {path} and in {other_path}: every image "
            "must have its own id, and be in one part only"
        )
    return f"{path}, {other_path}", data.union(other)
