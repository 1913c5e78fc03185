"""Features that were read of a file: rows of numbers, and perhaps the ids of their images."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from vsenumba.errors import FileFormatError
from vsenumba.memory import check_memory

#: What ids are called, as the names of arrays, datasets and columns; case, blanks and hyphens do not count.
ID_NAMES = (
    *("id", "ids", "image_id", "image_ids", "image", "images", "name", "names", "image_name", "image_names"),
    *("filename", "filenames", "file_name", "file_names", "file", "files", "path", "paths", "key", "keys"),
)


class FeatureTable(NamedTuple):
    """Features, and whose they are.

    Attributes
    ----------
    features : (n, n_features) array, memory map, HDF5 dataset or CSR array
        Numbers, as `AnnotationSet` takes them.
    ids : list of str or None
        The images' ids; None where the file has none, so that row i is image i.
    """

    features: Any
    ids: list[str] | None = None


def is_id_name(name: str) -> bool:
    """Tell whether something is called as ids are.

    Examples
    --------
    >>> is_id_name("Image ID"), is_id_name("red")
    (True, False)
    """
    return name.strip().lower().replace(" ", "_").replace("-", "_") in ID_NAMES


def as_float32(array: Any, where: str) -> np.ndarray:
    """Return numbers on disk that no set keeps as they are, as float32 in memory.

    Raises
    ------
    FileFormatError
        If they are no numbers.
    MemoryLimitError
        If they do not fit into memory.
    """
    if array.dtype.kind not in "buif":
        raise FileFormatError(f"{where} holds {array.dtype}, which is not a number")
    n_bytes = 4 * int(np.prod(array.shape))
    check_memory(n_bytes, f"converting {where} from {array.dtype} to float32", "save it as float32 or float16")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes inf, and is refused as such
        return np.asarray(array[...], np.float32)


def texts_of(array: np.ndarray) -> list[str] | None:
    """Return the texts of an array of ids; None of one that holds other things."""
    if array.ndim != 1 or array.dtype.kind not in "iuSUOT":
        return None
    values = array.tolist()
    try:
        return [one.decode() if isinstance(one, bytes) else str(one) for one in values]
    except UnicodeDecodeError as error:
        raise FileFormatError(f"an id is not UTF-8: {error.object!r:.60}") from error
