"""Memory-mapped arrays: read them in blocks and release the memory."""

from __future__ import annotations

import mmap
from collections.abc import Iterator

import numpy as np

# The number of values per block.
BLOCK_VALUES = 1 << 20


def blocks_of(array: np.ndarray, overlap: int = 0) -> Iterator[np.ndarray]:
    """Yield an array in blocks of rows; each block begins with the last `overlap` rows of the previous one."""
    n_rows = max(1, BLOCK_VALUES // max(int(np.prod(array.shape[1:])), 1))
    for start in range(0, max(len(array) - overlap, 1), n_rows):
        yield array[start : start + n_rows + overlap]
        release_pages(array)


def release_pages(array: np.ndarray) -> None:
    """Release the memory of a memory map; pages are read from the file again on the next access.

    Does nothing for other arrays, or on systems without this call.
    """
    pages = getattr(array, "_mmap", None)
    if pages is not None and hasattr(mmap, "MADV_DONTNEED"):
        pages.madvise(mmap.MADV_DONTNEED)
