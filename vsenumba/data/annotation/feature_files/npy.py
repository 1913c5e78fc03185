"""NumPy's ``.npy`` files: one array, which stays on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vsenumba.data.annotation.feature_files.table import FeatureTable, as_float32
from vsenumba.data.compression import is_compressed
from vsenumba.errors import FileFormatError

DESCRIPTION = "an .npy file"

_KEPT = ("uint8", "float16", "float32")


def recognises(path: Path, head: bytes) -> bool:
    """Return whether the file starts like an ``.npy`` file."""
    return head.startswith(b"\x93NUMPY")


def read(path: Path, dataset: str | None) -> FeatureTable:
    """Memory-map the array. Numbers other than uint8, float16 and float32 are read into memory as float32."""
    if is_compressed(path):
        raise FileFormatError(
            f"{path}: an array in a compressed file cannot be memory-mapped; decompress the file first"
        )
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OverflowError) as error:
        raise FileFormatError(f"{path}: not an .npy file of numbers: {error}") from error
    return FeatureTable(array if array.dtype.name in _KEPT and array.dtype.isnative else as_float32(array, str(path)))
