"""Readers of feature files, one module per format, chosen by content, and a function that joins features to a set.

A reader is a module with ``DESCRIPTION`` (for people), ``recognises(path, head)`` and ``read(path, dataset)``. To
support another format, add a module and a line in `FEATURE_READERS`.
"""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from vsenumba.data.annotation.feature_files import hdf5, npy, npz, numbers, parquet, vecs
from vsenumba.data.annotation.feature_files.joining import join_features
from vsenumba.data.annotation.feature_files.table import FeatureTable
from vsenumba.data.annotation.features import checked_features, is_on_disk, is_sparse
from vsenumba.data.annotation.readers.name_lists import listed_names
from vsenumba.data.compression import HEAD_BYTES, open_decompressed
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import FileFormatError, InputError
from vsenumba.storage.mapped import blocks_of

__all__ = ["FEATURE_READERS", "FeatureReader", "FeatureTable", "join_features", "load_features"]


class FeatureReader(Protocol):
    """The interface of the modules in this folder."""

    DESCRIPTION: str

    def recognises(self, path: Path, head: bytes) -> bool:
        """Return whether a file that begins with `head` has this format."""

    def read(self, path: Path, dataset: str | None) -> FeatureTable:
        """Read the file. If it has several arrays, `dataset` names one."""


# The most specific readers come first. The last one accepts any text.
FEATURE_READERS: tuple[FeatureReader, ...] = (npy, npz, hdf5, parquet, vecs, numbers)
_NAMED = (npz, hdf5, parquet)
# The suffixes of an ids file next to the features file, after the name without its extension.
_BESIDE = (".ids.txt", "_ids.txt", ".ids")


def load_features(
    path: str | PathLike[str],
    ids: str | PathLike[str] | Iterable[Any] | None = None,
    *,
    dataset: str | None = None,
) -> FeatureTable:
    r"""Read features of images from a file, and detect its format from the content.

    Parameters
    ----------
    path : str or path-like
        The file: ``.npy`` (stays on disk); ``.npz``, including files of ``scipy.sparse.save_npz``; HDF5 (stays on
        disk); Parquet with a column of lists or one column per number (needs pyarrow); a text table of numbers,
        optionally with an id column; ``.fvecs``, ``.bvecs`` or ``.hvecs``.
    ids : str, path-like or iterable, optional
        The ids of the images: a text file with one id per line, or the ids themselves. By default, the ids come from
        the features file, or from a file next to it: ``features_ids.txt`` or ``features.ids.txt`` for ``features.npy``.
        If neither has ids, they are None.
    dataset : str, optional
        The array, dataset or list column to read, if the file has several.

    Returns
    -------
    FeatureTable
        The features, and the ids or None.

    Raises
    ------
    InputError
        If the file does not exist, if it has several arrays and `dataset` is not given, or if the number of ids differs
        from the number of rows.
    FileFormatError
        If the file is invalid: an unknown format, rows of different widths, values that are not finite numbers, or the
        same features for all images.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "features.csv"
    ...     _ = path.write_text("id,red,green\na.jpg,0.5,1\nb.jpg,0.25,0\n")
    ...     features, ids = load_features(path)
    >>> features.tolist(), ids
    ([[0.5, 1.0], [0.25, 0.0]], ['a.jpg', 'b.jpg'])
    """
    with open_decompressed(path) as stream:
        head = stream.read(HEAD_BYTES)
    path = Path(path)
    reader = next((one for one in FEATURE_READERS if one.recognises(path, head)), None)
    if reader is None:
        supported = "; ".join(one.DESCRIPTION for one in FEATURE_READERS)
        raise FileFormatError(f"{path} is not a feature file in a supported format. Supported formats: {supported}")
    if dataset is not None and reader not in _NAMED:
        raise InputError(f"dataset={dataset!r} is only for files with several arrays, and {path} has one")
    features, found = reader.read(path, dataset)
    if len(features.shape) != 2 or not features.shape[0]:
        raise FileFormatError(f"{path}: expected one row per image, (n, n_features), not {features.shape}")
    names = _ids_of(path, ids) if ids is not None else found if found is not None else _ids_beside(path)
    if names is not None and len(names) != features.shape[0]:
        raise InputError(f"there are {len(names):,} ids for the {features.shape[0]:,} rows of {path}")
    try:
        if names is not None:
            Vocabulary(names, "image")
        if not is_on_disk(features):
            features = checked_features(features, features.shape[0])
    except InputError as error:
        raise FileFormatError(f"{path}: {error}") from error
    if _is_constant(features):
        raise FileFormatError(f"{path}: all {features.shape[0]:,} images have the same features")
    return FeatureTable(features, names)


def _ids_of(path: Path, ids: str | PathLike[str] | Iterable[Any]) -> list[str]:
    if isinstance(ids, (str, PathLike)):
        return listed_names(Path(ids))
    return list(Vocabulary(ids, "image"))


def _ids_beside(path: Path) -> list[str] | None:
    there = [one for ending in _BESIDE if (one := path.with_name(path.stem + ending)).is_file()]
    return listed_names(there[0]) if there else None


def _is_constant(features: Any) -> bool:
    """Return whether all rows are equal. For most files, the first rows are enough to decide."""
    if features.shape[0] < 2:
        return False
    if is_sparse(features):
        return bool((features.max(axis=0) - features.min(axis=0)).nnz == 0)
    first = np.asarray(features[:1])
    return all((np.asarray(block) == first).all() for block in blocks_of(features))
