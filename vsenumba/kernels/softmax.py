"""Sums of the rows of segments, weighted by softmax, for each column separately."""

from __future__ import annotations

import numpy as np
from numba import prange

from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.logistic import exp_minus

# The number of columns that are summed at a time. For some dozens of rows, they fit into the first-level cache.
_COLUMNS = 64


@kernel(parallel=True)
def softmax_sums(values, logits, offsets, padding, padding_logits, weights, totals, sums):
    """Weight the rows of every segment by the softmax of their logits, and add them up.

    Parameters
    ----------
    values, logits : (N, d) float32
        The rows of all segments, and their logits. Both may be the same array.
    offsets : (n_segments + 1,) int64
        The start of each segment; no segment is empty.
    padding : (n_segments,) float32
        The number of rows of zeros that each segment has besides its own rows.
    padding_logits : (d,) float32
        The logits of these rows.
    weights : (N, d) float32
        The weights, written.
    totals : (n_segments, d) float32
        Work space.
    sums : (n_segments, d) float32
        The sums, written.
    """
    for segment in prange(offsets.shape[0] - 1):
        for first in range(0, values.shape[1], _COLUMNS):
            weigh_block(
                values, logits, offsets[segment], offsets[segment + 1], first,
                min(first + _COLUMNS, values.shape[1]), padding[segment], padding_logits, weights, totals[segment],
                sums[segment],
            )  # fmt: skip


@kernel
def weigh_block(values, logits, begin, end, first, last, padded, padding_logits, weights, totals, sums):
    """Weight and add up the rows begin..end-1 of the columns first..last-1."""
    total, result, absent = totals[first:last], sums[first:last], padding_logits[first:last]
    # The largest logit so far, one row per step; updating a single place would become a slow masked store.
    for f in range(last - first):
        weights[begin, first + f] = max(logits[begin, first + f], absent[f]) if padded > 0 else logits[begin, first + f]
    for row in range(begin + 1, end):
        logit, before, weight = logits[row, first:last], weights[row - 1, first:last], weights[row, first:last]
        for f in range(last - first):
            weight[f] = max(logit[f], before[f])
    for f in range(last - first):
        result[f] = weights[end - 1, first + f]
    for f in range(last - first):
        total[f] = padded * exp_minus(result[f] - absent[f]) if padded > 0 else np.float32(0)
    for row in range(begin, end):
        logit, weight = logits[row, first:last], weights[row, first:last]
        for f in range(last - first):
            weight[f] = exp_minus(result[f] - logit[f])
            total[f] += weight[f]
    for f in range(last - first):
        total[f] = 1 / total[f]
        result[f] = 0
    for row in range(begin, end):
        value, weight = values[row, first:last], weights[row, first:last]
        for f in range(last - first):
            weight[f] *= total[f]
            result[f] += weight[f] * value[f]
