"""Sort the rows of segments in falling order, for each column separately.

A segment has the regions of one image or the tokens of one text: the rows ``offsets[i]`` to ``offsets[i + 1] - 1`` of
a table. The order of comparisons is fixed (Batcher's odd-even merge sort), so neighbouring columns are compared
together, as vector code.
"""

from __future__ import annotations

import numba
import numpy as np
from numba import prange

from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.gate import readable

# The number of columns that are sorted at a time. For some dozens of rows, they fit into the first-level cache.
_COLUMNS = 64


def sort_segments(values: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sort every column of every segment in falling order.

    Parameters
    ----------
    values : (N, d) float32 array
        The rows of all segments; all values must be finite.
    offsets : (n_segments + 1,) int64 array
        The start of each segment; no segment is empty.

    Returns
    -------
    ordered : (N, d) float32 array
        Row ``offsets[i] + r`` has the values of rank r in segment i, from rank 0.
    origins : (N, d) int32 array
        The original row of each value, counted from the start of its segment.

    Examples
    --------
    >>> values = np.array([[1, 5], [3, 4], [2, 9]], np.float32)
    >>> ordered, origins = sort_segments(values, np.array([0, 2, 3]))
    >>> ordered.tolist()
    [[3.0, 5.0], [1.0, 4.0], [2.0, 9.0]]
    >>> origins.tolist()
    [[1, 0], [0, 1], [0, 0]]
    """
    # The sort works on the bits of float32 numbers, so other types must be converted first.
    values = readable("values", values, (None, None))
    ordered, origins = np.empty_like(values), np.empty(values.shape, np.int32)
    # Blocks are sorted in a separate array: rows of a table may lie a power of two apart, and would then compete for
    # the same few places of a cache.
    space = np.empty((numba.get_num_threads(), 2, int(np.diff(offsets).max()), _COLUMNS), np.int32)
    _sort(values.view(np.int32), offsets, space, ordered.view(np.int32), origins)
    return ordered, origins


@kernel(parallel=True)
def _sort(values, offsets, space, ordered, origins):
    n_blocks = (values.shape[1] + _COLUMNS - 1) // _COLUMNS
    n_tasks, n_workers = (offsets.shape[0] - 1) * n_blocks, space.shape[0]
    for worker in prange(n_workers):
        keys, places = space[worker, 0], space[worker, 1]
        for task in range(n_tasks * worker // n_workers, n_tasks * (worker + 1) // n_workers):
            begin, end = offsets[task // n_blocks], offsets[task // n_blocks + 1]
            first = task % n_blocks * _COLUMNS
            n, width = end - begin, min(_COLUMNS, values.shape[1] - first)
            for row in range(n):
                for f in range(width):
                    keys[row, f] = whole(values[begin + row, first + f])
                for f in range(_COLUMNS):
                    places[row, f] = row
            sort_block(keys, places, n)
            for row in range(n):
                for f in range(width):
                    ordered[begin + row, first + f] = whole(keys[row, f])
                    origins[begin + row, first + f] = places[row, f]


@kernel(inline=True)
def whole(bits):
    """Return an integer that sorts like the float32 with the given bits; applied twice, this returns the bits."""
    return bits ^ ((bits >> np.int32(31)) & np.int32(0x7FFFFFFF))


@kernel
def sort_block(keys, places, n):
    """Sort the first n rows of all columns in place, in falling order, and move their places with them."""
    merged = 1
    while merged < n:
        apart = merged
        while apart >= 1:
            for start in range(apart % merged, n - apart, 2 * apart):
                for i in range(start, min(start + apart, n - apart)):
                    if i // (2 * merged) == (i + apart) // (2 * merged):
                        exchange(keys[i], keys[i + apart], places[i], places[i + apart])
            apart //= 2
        merged *= 2


@kernel(inline=True)
def exchange(upper, lower, upper_places, lower_places):
    """Put the larger of two keys into the upper row, for each column.

    Integers and an exclusive or are used, because selecting floats would become masked stores, three times slower.
    """
    for f in range(_COLUMNS):
        a, b = upper[f], lower[f]
        x, y = upper_places[f], lower_places[f]
        moved = (x ^ y) if b > a else np.int32(0)
        upper[f] = max(a, b)
        lower[f] = min(a, b)
        upper_places[f] = x ^ moved
        lower_places[f] = y ^ moved
