"""Softmax-weighted sums of the rows of segments, every column for itself."""

from __future__ import annotations

import numpy as np
from numba import prange

from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.logistic import exp_minus

# So many columns are summed at a time: those of some dozens of rows stay in the first cache.
_COLUMNS = 64


@kernel(parallel=True)
def softmax_sums(values, logits, offsets, padding, padding_logits, weights, totals, sums):
    """Weigh the rows of every segment by the softmax of their logits, and add them up.

    Parameters
    ----------
    values, logits : (N, d) float32
        The rows of all segments, and what the softmax is of; they may be one array.
    offsets : (n_segments + 1,) int64
        Where segments begin; none is empty.
    padding : (n_segments,) float32
        How many rows of zeros each segment is taken to have beside its own.
    padding_logits : (d,) float32
        Their logits.
    weights : (N, d) float32
        Written.
    totals : (n_segments, d) float32
        Work space.
    sums : (n_segments, d) float32
        Written.
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
    """Weigh and add up the rows begin..end-1 of the columns first..last-1."""
    for f in range(first, last):
        # The largest logit, until it is no longer needed.
        sums[f] = max(logits[begin, f], padding_logits[f]) if padded > 0 else logits[begin, f]
    for row in range(begin + 1, end):
        for f in range(first, last):
            sums[f] = max(sums[f], logits[row, f])
    for f in range(first, last):
        totals[f] = padded * exp_minus(sums[f] - padding_logits[f]) if padded > 0 else np.float32(0)
    for row in range(begin, end):
        for f in range(first, last):
            weight = exp_minus(sums[f] - logits[row, f])
            weights[row, f] = weight
            totals[f] += weight
    for f in range(first, last):
        totals[f] = 1 / totals[f]
        sums[f] = 0
    for row in range(begin, end):
        for f in range(first, last):
            weight = weights[row, f] * totals[f]
            weights[row, f] = weight
            sums[f] += weight * values[row, f]
