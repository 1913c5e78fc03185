"""Features read from a file: rows of numbers, and optionally the ids of their images."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from vsenumba.errors import FileFormatError
from vsenumba.memory import check_memory

#: Usual names of ids in arrays, datasets and columns. Case, spaces and hyphens do not matter.
ID_NAMES = (
    *("id", "ids", "image_id", "image_ids", "image", "images", "name", "names", "image_name", "image_names"),
    *("filename", "filenames", "file_name", "file_names", "file", "files", "path", "paths", "key", "keys"),
)


class FeatureTable(NamedTuple):
    """Features, and the images that they belong to.

    Attributes
    ----------
    features : (n, n_features) array, memory map, HDF5 dataset or CSR array
        The features, in a form that `AnnotationSet` accepts.
    ids : list of str or None
        The ids of the images. None if the file has no ids, so that row i belongs to image i.
    """

    features: Any
    ids: list[str] | None = None


def is_id_name(name: str) -> bool:
    """Return whether a name is a usual name for ids.

    Examples
    --------
    >>> is_id_name("Image ID"), is_id_name("red")
    (True, False)
    """
    return name.strip().lower().replace(" ", "_").replace("-", "_") in ID_NAMES


def as_float32(array: Any, where: str) -> np.ndarray:
    """Convert numbers on disk to float32 in memory, for dtypes that annotation sets do not keep.

    Raises
    ------
    FileFormatError
        If the values are not numbers.
    MemoryLimitError
        If the numbers do not fit into memory.
    """
    if array.dtype.kind not in "buif":
        raise FileFormatError(f"{where} holds {array.dtype}, which is not a number")
    n_bytes = 4 * int(np.prod(array.shape))
    check_memory(n_bytes, f"converting {where} from {array.dtype} to float32", "save it as float32 or float16")
    with np.errstate(over="ignore"):  # a value too large for float32 becomes inf, which is rejected later
        return np.asarray(array[...], np.float32)


def texts_of(array: np.ndarray) -> list[str] | None:
    """Return the texts of an array of ids, or None if the array is not one of texts."""
    if array.ndim != 1 or array.dtype.kind not in "iuSUOT":
        return None
    values = array.tolist()
    try:
        return [one.decode() if isinstance(one, bytes) else str(one) for one in values]
    except UnicodeDecodeError as error:
        raise FileFormatError(f"an id is not UTF-8: {error.object!r:.60}") from error
