"""Sums weighted by rank: every column is sorted in descending order, and each rank has a weight."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.sorted_rows import sort_segments


class Ranked(NamedTuple):
    """Sorted values, the rows they came from, and the weights of the ranks by segment length."""

    offsets: np.ndarray
    ordered: np.ndarray
    origins: np.ndarray
    weights: np.ndarray


def ranked_sums(values: np.ndarray, offsets: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, Ranked]:
    """Return ``Σ_r weights[n, r] x_(r)`` for every column and every segment of n rows, and what the gradients need.

    Parameters
    ----------
    values, offsets : (N, d) float32, (n_segments + 1,) int64
        The segments.
    weights : (longest + 1, longest) float32
        Weights by segment length and rank; the largest value has rank 0.
    """
    ordered, origins = sort_segments(values, offsets)
    pooled = np.empty((len(offsets) - 1, values.shape[1]), np.float32)
    _sum(ordered, offsets, weights, pooled)
    return pooled, Ranked(offsets, ordered, origins, weights)


def ranked_sums_backward(gradient: np.ndarray, memory: Ranked) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients with respect to the rows, (N, d), and to each rank's weight in each segment, (N,)."""
    result, in_weights = np.empty_like(memory.ordered), np.empty(len(memory.ordered), np.float32)
    _spread(gradient, memory, result, in_weights)
    return result, in_weights


@kernel(parallel=True)
def _sum(ordered, offsets, weights, pooled):
    for segment in prange(offsets.shape[0] - 1):
        begin, length = offsets[segment], offsets[segment + 1] - offsets[segment]
        for f in range(ordered.shape[1]):
            pooled[segment, f] = 0
        for rank in range(length):
            weight = weights[length, rank]
            for f in range(ordered.shape[1]):
                pooled[segment, f] += weight * ordered[begin + rank, f]


@kernel(parallel=True)
def _spread(gradient, memory, result, in_weights):
    for segment in prange(memory.offsets.shape[0] - 1):
        begin, length = memory.offsets[segment], memory.offsets[segment + 1] - memory.offsets[segment]
        for rank in range(length):
            weight, total = memory.weights[length, rank], np.float32(0)
            for f in range(gradient.shape[1]):
                result[begin + memory.origins[begin + rank, f], f] = weight * gradient[segment, f]
                total += gradient[segment, f] * memory.ordered[begin + rank, f]
            in_weights[begin + rank] = total
