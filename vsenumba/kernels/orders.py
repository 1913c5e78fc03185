"""Rank orders: the labels sorted by every factor, and the spread of every factor.

The adaptive sampler refreshes these at regular intervals, so sorting adds to the time of training. A radix sort of the
float32 keys (three passes of 11 bits) takes time linear in the number of labels and is several times faster than a
comparison sort. It is stable, so labels with equal keys stay in the order of their columns. A few columns of the table
are copied at a time, because reading down one column touches a cache line per label.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from vsenumba.kernels.compiler import kernel

_BITS = np.uint32(11)
_BUCKETS = 1 << 11
_MASK = np.uint32(_BUCKETS - 1)
_SIGN = np.uint32(0x80000000)
_MAGNITUDE = np.uint32(0x7FFFFFFF)

# The number of columns that are copied at a time.
_COLUMNS = 4

# The number of positions in a cache line.
_LINE = 16


class SortSpace(NamedTuple):
    """The work space of `refresh_orders`; each array has one row per task."""

    columns: np.ndarray
    column_bits: np.ndarray
    keys: np.ndarray
    labels: np.ndarray
    counts: np.ndarray


def sort_space(n_labels: int, n_tasks: int) -> SortSpace:
    """Return the work space for tables of `n_labels` rows and for `n_tasks` parallel tasks."""
    columns = np.empty((n_tasks, _COLUMNS, n_labels), np.float32)
    return SortSpace(
        columns=columns,
        column_bits=columns.view(np.uint32),
        keys=np.empty((n_tasks, 2, n_labels), np.uint32),
        labels=np.empty((n_tasks, 2, n_labels), np.int32),
        counts=np.empty((n_tasks, 3, _BUCKETS), np.int32),
    )


@kernel(parallel=True)
def refresh_orders(labels, orders, spreads, space):
    """Sort the labels by every factor, and measure the spread of every factor.

    Parameters
    ----------
    labels : (L, k) float32
        The label factors.
    orders : (k, L) int32
        Written: row f has the labels in rising order of factor f; labels with equal factors in the order of columns.
    spreads : (k,) float64
        Written: the standard deviation of each factor over the labels.
    space : SortSpace
        The work space for L labels.
    """
    n_factors = labels.shape[1]
    n_tasks = space.keys.shape[0]
    n_columns = space.columns.shape[1]
    for task in prange(n_tasks):
        for first in range(task * n_columns, n_factors, n_tasks * n_columns):
            last = min(first + n_columns, n_factors)
            copy_columns(labels, first, last, space.columns[task])
            for f in range(first, last):
                spreads[f] = spread(space.columns[task, f - first])
                sort_column(
                    space.column_bits[task, f - first], orders[f], space.keys[task], space.labels[task],
                    space.counts[task],
                )  # fmt: skip


@kernel(parallel=True)
def invert_orders(orders, places):
    """Find the position of each label in the order of each factor.

    Parameters
    ----------
    orders : (k, L) int32
        The result of `refresh_orders`.
    places : (L, k) int32
        Written: ``places[orders[f, r], f]`` is r.
    """
    n_factors, n_labels = orders.shape
    # Each task writes whole cache lines, so that threads do not wait for each other's lines.
    for task in prange((n_factors + _LINE - 1) // _LINE):
        for f in range(task * _LINE, min(task * _LINE + _LINE, n_factors)):
            for rank in range(n_labels):
                places[orders[f, rank], f] = rank


@kernel
def copy_columns(table, first, last, columns):
    """Copy the columns first..last-1 of a table to the rows of `columns`."""
    for a in range(table.shape[0]):
        for f in range(first, last):
            columns[f - first, a] = table[a, f]


@kernel
def spread(values):
    """Return the standard deviation of float32 values, computed in float64."""
    n = values.shape[0]
    total = 0.0
    for i in range(n):
        total += np.float64(values[i])
    mean = total / n
    square = 0.0
    for i in range(n):
        square += (np.float64(values[i]) - mean) ** 2
    return np.sqrt(square / n)


@kernel(inline=True)
def sortable(bits):
    """Return a uint32 key that sorts like the float32 with these bits; both zeros have the same key."""
    if bits == _SIGN:
        bits = np.uint32(0)
    # This needs no branch: it flips all bits of a negative number, and only the sign of any other.
    return bits ^ np.uint32((bits >> np.uint32(31)) * _MAGNITUDE | _SIGN)


@kernel
def sort_column(bits, order, keys, labels, counts):
    """Write the positions of float32 values in rising order to `order`; the bits of the values become sort keys."""
    n = bits.shape[0]
    counts[:] = 0
    for a in range(n):
        key = sortable(bits[a])
        bits[a] = key
        counts[0, key & _MASK] += 1
        counts[1, (key >> _BITS) & _MASK] += 1
        counts[2, key >> (_BITS + _BITS)] += 1
    first = second = third = 0
    for bucket in range(_BUCKETS):
        counts[0, bucket], first = first, first + counts[0, bucket]
        counts[1, bucket], second = second, second + counts[1, bucket]
        counts[2, bucket], third = third, third + counts[2, bucket]
    # The first pass reads the labels in their order, and the last pass does not need the keys.
    for a in range(n):
        key = bits[a]
        place = counts[0, key & _MASK]
        counts[0, key & _MASK] = place + 1
        keys[0, place] = key
        labels[0, place] = a
    for i in range(n):
        key = keys[0, i]
        bucket = (key >> _BITS) & _MASK
        place = counts[1, bucket]
        counts[1, bucket] = place + 1
        keys[1, place] = key
        labels[1, place] = labels[0, i]
    for i in range(n):
        bucket = keys[1, i] >> (_BITS + _BITS)
        place = counts[2, bucket]
        counts[2, bucket] = place + 1
        order[place] = labels[1, i]
