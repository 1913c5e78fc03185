"""Rows of images in ``.npy`` files that stay on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vsenumba.data.captions.ragged import Ragged
from vsenumba.errors import FileFormatError, InputError
from vsenumba.storage import check_readable


def mapped_rows(path: Path | None, n_images: int, what: str) -> Ragged:
    """Memory-map an ``.npy`` file of (n, d) or (n, k, d) numbers, and check its number of images.

    Raises
    ------
    InputError
        If `path` is None, or the file has a different number of images.
    FileFormatError
        If the file is not such a file.
    """
    if path is None:
        raise InputError(f"{what} contains only captions; give the image features too, as an .npy file (--features)")
    array = mapped_array(path)
    if len(array) != n_images:
        raise InputError(f"{path} has features for {len(array):,} images, but {what} has {n_images:,} images")
    try:
        return Ragged.of(array, "image")
    except InputError as error:
        raise FileFormatError(f"{path}: {error}") from error


def mapped_array(path: Path) -> np.ndarray:
    """Memory-map an ``.npy`` file of (n, d) or (n, k, d) numbers.

    Raises
    ------
    InputError
        If the file cannot be read.
    FileFormatError
        If the file is not such a file. A file of Python objects is rejected too.
    """
    check_readable(path)
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, EOFError, OverflowError) as error:
        raise FileFormatError(f"{path}: not an .npy file of numbers: {error}") from error
    if not isinstance(array, np.ndarray) or array.ndim not in (2, 3):
        raise FileFormatError(f"{path} must hold (images, d) or (images, rows, d) numbers")
    return array
