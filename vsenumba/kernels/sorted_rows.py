"""Rows sorted within segments, every column for itself, falling; and gradients brought back to where values came from.

A segment is the regions of one image or the tokens of one text: rows ``offsets[i]`` to ``offsets[i + 1]`` of a table.
The order of comparisons is fixed (Batcher's odd-even merge sort), so that neighbouring columns are compared together,
in vector code.
"""

from __future__ import annotations

from numba import prange

from vsenumba.kernels.compiler import kernel

# So many columns are sorted at a time: those of some dozens of rows stay in the first cache.
_COLUMNS = 64


@kernel(parallel=True)
def sort_segments(values, offsets, ordered, origins):
    """Sort every column of every segment, the largest first.

    Parameters
    ----------
    values : (N, d) float32
        The rows of all segments.
    offsets : (n_segments + 1,) int64
        Where segments begin.
    ordered : (N, d) float32
        Written: row ``offsets[i] + r`` holds the values of rank r of segment i.
    origins : (N, d) int32
        Written: the row of `values`, counted within its segment, that each came from.
    """
    width = values.shape[1]
    n_blocks = (width + _COLUMNS - 1) // _COLUMNS
    for task in prange((offsets.shape[0] - 1) * n_blocks):
        segment, first = task // n_blocks, task % n_blocks * _COLUMNS
        begin, end, last = offsets[segment], offsets[segment + 1], min(first + _COLUMNS, width)
        for row in range(begin, end):
            for f in range(first, last):
                ordered[row, f] = values[row, f]
                origins[row, f] = row - begin
        sort_block(ordered, origins, begin, end, first, last)


@kernel
def sort_block(keys, origins, begin, end, first, last):
    """Sort the rows begin..end-1 of the columns first..last-1 in place, the largest first, their origins with them."""
    n = end - begin
    merged = 1
    while merged < n:
        apart = merged
        while apart >= 1:
            for start in range(apart % merged, n - apart, 2 * apart):
                for i in range(start, min(start + apart, n - apart)):
                    if i // (2 * merged) == (i + apart) // (2 * merged):
                        exchange(keys, origins, begin + i, begin + i + apart, first, last)
            apart //= 2
        merged *= 2


@kernel(inline=True)
def exchange(keys, origins, upper, lower, first, last):
    """Put the larger value of two rows into the upper one, column by column."""
    for f in range(first, last):
        a, b = keys[upper, f], keys[lower, f]
        x, y = origins[upper, f], origins[lower, f]
        swap = b > a
        keys[upper, f] = b if swap else a
        keys[lower, f] = a if swap else b
        origins[upper, f] = y if swap else x
        origins[lower, f] = x if swap else y


@kernel(parallel=True)
def unsort_segments(gradient, offsets, origins, result):
    """Write to every row what the gradient holds where its values were sorted to.

    Parameters
    ----------
    gradient : (N, d) float32
        By rank.
    offsets : (n_segments + 1,) int64
        Where segments begin.
    origins : (N, d) int32
        What `sort_segments` wrote.
    result : (N, d) float32
        Written, by row.
    """
    for segment in prange(offsets.shape[0] - 1):
        begin = offsets[segment]
        for row in range(begin, offsets[segment + 1]):
            for f in range(gradient.shape[1]):
                result[begin + origins[row, f], f] = gradient[row, f]
