"""Arrays that stay on disk: what is read of them need not stay in memory."""

from __future__ import annotations

import mmap
from collections.abc import Iterator

import numpy as np

# Values of a large array that are looked at together.
BLOCK_VALUES = 1 << 20


def blocks_of(array: np.ndarray, overlap: int = 0) -> Iterator[np.ndarray]:
    """Yield an array in blocks of rows, of which the next begins with the last `overlap` rows."""
    n_rows = max(1, BLOCK_VALUES // max(int(np.prod(array.shape[1:])), 1))
    for start in range(0, max(len(array) - overlap, 1), n_rows):
        yield array[start : start + n_rows + overlap]
        release_pages(array)


def release_pages(array: np.ndarray) -> None:
    """Let go of what was read of a memory map; it comes back from the file when it is used again.

    Does nothing to other arrays, or where the system has no such call.
    """
    pages = getattr(array, "_mmap", None)
    if pages is not None and hasattr(mmap, "MADV_DONTNEED"):
        pages.madvise(mmap.MADV_DONTNEED)
