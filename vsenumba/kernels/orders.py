"""Rank orders: the labels sorted by every factor, and the spread of every factor.

The adaptive sampler refreshes these every |A| ln|A| draws, so sorting is a cost of training. A radix sort of the
float32 keys (three passes of 11 bits) is linear in the number of labels and several times faster than a comparison
sort; it is stable, so ties stand in the order of the labels.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from vsenumba.kernels.compiler import kernel

_BITS = 11
_BUCKETS = 1 << _BITS
_MASK = np.uint32(_BUCKETS - 1)
_SIGN = np.uint32(0x80000000)


@kernel
def sortable(bits):
    """Return the uint32 whose order is that of the float32 with these bits; both zeros become one."""
    if bits == _SIGN:
        bits = np.uint32(0)
    return ~bits if bits & _SIGN else bits | _SIGN


@kernel
def sort_factor(bits, factor, order, keys, spare_keys, spare_order, counts):
    """Write the labels in rising order of one factor to `order`, (L,) int32.

    Parameters
    ----------
    bits : (L, k) uint32
        The label factors, seen as bits.
    factor : int
        Which column to sort by.
    keys, spare_keys : (L,) uint32
        Work space.
    spare_order : (L,) int32
        Work space.
    counts : (3, 2048) int64
        Work space.
    """
    n = bits.shape[0]
    for digit in range(3):
        for bucket in range(_BUCKETS):
            counts[digit, bucket] = 0
    for a in range(n):
        key = sortable(bits[a, factor])
        keys[a] = key
        order[a] = a
        for digit in range(3):
            counts[digit, (key >> np.uint32(_BITS * digit)) & _MASK] += 1
    source_keys, source_order, target_keys, target_order = keys, order, spare_keys, spare_order
    for digit in range(3):
        shift = np.uint32(_BITS * digit)
        total = 0
        for bucket in range(_BUCKETS):
            here = counts[digit, bucket]
            counts[digit, bucket] = total
            total += here
        for i in range(n):
            key = source_keys[i]
            bucket = (key >> shift) & _MASK
            position = counts[digit, bucket]
            counts[digit, bucket] = position + 1
            target_keys[position] = key
            target_order[position] = source_order[i]
        source_keys, target_keys = target_keys, source_keys
        source_order, target_order = target_order, source_order
    # Three passes end in the spare arrays.
    for i in range(n):
        order[i] = spare_order[i]


@kernel(parallel=True)
def refresh_orders(labels, bits, orders, spreads, keys, spare_keys, spare_orders, counts):
    """Sort the labels by every factor and measure every factor's spread.

    Parameters
    ----------
    labels : (L, k) float32
        The label factors.
    bits : (L, k) uint32
        The same memory seen as bits.
    orders : (k, L) int32
        Written: row f holds the labels in rising order of factor f, ties in the order of the labels.
    spreads : (k,) float32
        Written: the standard deviation of each factor over the labels.
    keys, spare_keys, spare_orders, counts : arrays with one row per task
        Work space; task t sorts the factors t, t + n_tasks, ...
    """
    n, k = labels.shape
    n_tasks = keys.shape[0]
    for task in prange(n_tasks):
        for f in range(task, k, n_tasks):
            total = 0.0
            for a in range(n):
                total += np.float64(labels[a, f])
            mean = total / n
            square = 0.0
            for a in range(n):
                square += (np.float64(labels[a, f]) - mean) ** 2
            spreads[f] = np.sqrt(square / n)
            sort_factor(bits, f, orders[f], keys[task], spare_keys[task], spare_orders[task], counts[task])
