"""The compiled epoch loop, one for every sampler, loss, optimiser and kind of input.

Shards run in parallel and update the tables without locks (Hogwild; Niu et al. 2011): rows are rarely shared, and a
lost update costs less than a lock. A shard owns its random state, its work space and its row of the tally.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.dot import compare
from vsenumba.losses import value_and_slope
from vsenumba.samplers import draw
from vsenumba.training.inputs.inputs import (
    CHUNK,
    PULL,
    VECTOR,
    close_visit,
    open_pair,
    open_visit,
    take_pull,
)
from vsenumba.training.optimisers import row_rate

# Columns of the tally.
STEPS, SKIPPED, LOSS, VIOLATIONS, TRIALS = range(5)
TALLY_COLUMNS = 8


@kernel(parallel=True)
def run_block(
    order, bounds, indptr, indices, labels, sums, inputs, sampler, loss, optimiser, rates, l2, n_negatives,
    states, spaces, tally,
):  # fmt: skip
    """Train on the images of `order`, shard s on ``order[bounds[s]:bounds[s + 1]]``.

    Parameters
    ----------
    order, bounds : (n,) int64, (n_shards + 1,) int64
        Image rows in the order of their visits, and the shards' parts.
    indptr, indices : (n_images + 1,) int64, (n_pairs,) int32
        The images' labels.
    labels, sums : (L, k) float32, (L,) or (0,) float32
        The label factors and the optimiser's sums of them.
    inputs, sampler, loss, optimiser : NamedTuple
        States; their classes pick the code.
    rates : (2,) float32
        Learning rates of the label factors and of the inputs' tables.
    l2 : float32
        Weight decay per step.
    n_negatives : int
        Negatives per pair.
    states : (n_shards, 8) uint64
        Random states.
    spaces : (n_shards, rows, k) float32
        Work spaces.
    tally : (n_shards, 8) float64
        Added to: steps, skipped pairs, loss, violations, trials.
    """
    for shard in prange(bounds.shape[0] - 1):
        for t in range(bounds[shard], bounds[shard + 1]):
            visit(
                order[t], indptr, indices, labels, sums, inputs, sampler, loss, optimiser, rates, l2, n_negatives,
                states, shard, spaces[shard], tally[shard],
            )  # fmt: skip


@kernel
def visit(
    image, indptr, indices, labels, sums, inputs, sampler, loss, optimiser, rates, l2, n_negatives,
    states, shard, space, tally,
):  # fmt: skip
    """Train on all pairs of one image."""
    begin, end = indptr[image], indptr[image + 1]
    vector = space[VECTOR]
    for first in range(begin, end, CHUNK):
        last = min(first + CHUNK, end)
        open_visit(inputs, space, image, indices, begin, end)
        for pair in range(first, last):
            positive = indices[pair]
            described = open_pair(inputs, space, indices, begin, end, pair, pair - first)
            for _ in range(n_negatives):
                negative, trials = np.int64(-1), 0
                if described:
                    negative, trials = draw(sampler, states, shard, vector, labels, indices, begin, end, positive)
                tally[TRIALS] += trials
                if negative < 0:
                    tally[SKIPPED] += 1
                    continue
                difference, vector_square, gap_square = compare(vector, labels, positive, negative)
                value, slope = value_and_slope(loss, difference, trials)
                tally[STEPS] += 1
                tally[LOSS] += value
                tally[VIOLATIONS] += difference <= 0
                slope = np.float32(slope)
                move_labels(labels, sums, optimiser, rates[0], l2, space, positive, negative, slope, vector_square)
                take_pull(inputs, optimiser, rates[1], l2, space, image, pair - first, slope * slope * gap_square)
        close_visit(inputs, optimiser, rates[1], l2, space, image, indices, begin, end, first, last)


@kernel(inline=True)
def move_labels(labels, sums, optimiser, learning_rate, l2, space, positive, negative, slope, vector_square):
    """Move the two labels of a step against the gradient; leave the gradient in the image's vector in the space."""
    n_factors = space.shape[1]
    mean_square = slope * slope * vector_square / np.float32(n_factors)
    up = np.float32(row_rate(optimiser, learning_rate, sums, positive, mean_square))
    down = np.float32(row_rate(optimiser, learning_rate, sums, negative, mean_square))
    for f in range(n_factors):
        p = labels[positive, f]
        n = labels[negative, f]
        pull = slope * space[VECTOR, f]
        space[PULL, f] = slope * (p - n)
        labels[positive, f] = p - up * (pull + l2 * p)
        labels[negative, f] = n - down * (l2 * n - pull)
