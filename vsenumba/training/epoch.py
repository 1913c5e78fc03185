"""The compiled epoch loop, one for every sampler, loss, optimiser and kind of input.

Shards run in parallel and update the tables without locks (Hogwild; Niu et al. 2011): rows are rarely shared, and a
lost update costs less than a lock. A shard owns its random state, its work space and its row of the tally.

Within a shard the pairs are trained in blocks: a block's steps see the tables as they were when it began. So nothing in
a block waits for anything else in it, which doubles the speed of a step, and an image's pairs give one gradient.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from vsenumba.kernels.aligned import aligned_empty
from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.prefetch import prefetch
from vsenumba.training.inputs.inputs import BLOCK, close_visit, expect_visit, open_visit
from vsenumba.training.steps import BEGIN, END, NUMBER_ROWS, POSITIVE, STEP_ROWS, VECTOR, train_steps

# A shard's tally fills a cache line of its own.
TALLY_COLUMNS = 8

# Images this far down the order are asked for: their memory comes while others are trained.
_AHEAD = 8

# Rows of the visits of a block: the image and the first and last of its pairs.
_IMAGE, _FIRST, _LAST = range(3)


class Work(NamedTuple):
    """The work space of every shard.

    Attributes
    ----------
    vectors : (n_shards, rows, k) float32
        A block's image vectors, from row `BLOCK` on the gradients in them; then what the inputs need.
    steps : (n_shards, STEP_ROWS, BLOCK) int64
        What each step of the block is of; see `vsenumba.training.steps`.
    numbers : (n_shards, NUMBER_ROWS, BLOCK) float32
        What is computed of each step.
    visits : (n_shards, 3, BLOCK) int64
        The images of the block.
    tally : (n_shards, TALLY_COLUMNS) float64
        Added to: steps, skipped pairs, loss, violations, trials.
    """

    vectors: np.ndarray
    steps: np.ndarray
    numbers: np.ndarray
    visits: np.ndarray
    tally: np.ndarray


def work_space(n_shards: int, rows: int, n_factors: int) -> Work:
    """Return a fresh work space."""
    vectors = aligned_empty((n_shards, rows, n_factors))
    vectors[:] = 0
    return Work(
        vectors,
        np.zeros((n_shards, STEP_ROWS, BLOCK), np.int64),
        np.zeros((n_shards, NUMBER_ROWS, BLOCK), np.float32),
        np.zeros((n_shards, 3, BLOCK), np.int64),
        np.zeros((n_shards, TALLY_COLUMNS)),
    )


@kernel(parallel=True)
def run_launch(
    order, bounds, indptr, indices, labels, sums, inputs, sampler, loss, optimiser, rates, l2, n_negatives, states, work
):
    """Train on the images of `order`, shard s on ``order[bounds[s]:bounds[s + 1]]``.

    Parameters
    ----------
    order, bounds : (n,) int64, (n_shards + 1,) int64
        Rows of images that have labels, in the order of their visits, and the shards' parts.
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
    work : Work
        The shards' work space.
    """
    for shard in prange(bounds.shape[0] - 1):
        run_shard(
            order, bounds[shard], bounds[shard + 1], indptr, indices, labels, sums, inputs, sampler, loss, optimiser,
            rates, l2, n_negatives, states, shard, work.vectors[shard], work.steps[shard], work.numbers[shard],
            work.visits[shard], work.tally[shard],
        )  # fmt: skip


@kernel
def run_shard(
    order, at, stop, indptr, indices, labels, sums, inputs, sampler, loss, optimiser, rates, l2, n_negatives, states,
    shard, vectors, steps, numbers, visits, tally,
):  # fmt: skip
    """Train on the images ``order[at:stop]``, block by block."""
    # The next pair of an image that had more pairs than a block.
    rest = np.int64(0)
    while at < stop:
        n_visits, n_steps = 0, 0
        full = False
        while at < stop and not full:
            image = order[at]
            end = indptr[image + 1]
            first = max(rest, indptr[image])
            # Whole images while they fit; one that fits no block is visited in parts.
            full = n_steps > 0 and n_steps + end - first > BLOCK
            if not full:
                last = min(end, first + BLOCK)
                if at + 2 * _AHEAD < stop:
                    prefetch(indptr, order[at + 2 * _AHEAD])
                    expect_visit(inputs, order[at + _AHEAD], indptr, indices)
                open_pairs(inputs, vectors, steps, n_steps, image, indptr, indices, first, last)
                visits[_IMAGE, n_visits] = image
                visits[_FIRST, n_visits] = first
                visits[_LAST, n_visits] = last
                n_visits += 1
                n_steps += last - first
                full = last < end
                rest = last if full else np.int64(0)
                at += 0 if full else 1
        train_steps(
            n_steps, indices, labels, sums, sampler, loss, optimiser, rates[0], l2, n_negatives, states, shard, vectors,
            steps, numbers, tally,
        )  # fmt: skip
        slot = 0
        for v in range(n_visits):
            image = visits[_IMAGE, v]
            close_visit(
                inputs, optimiser, rates[1], l2, vectors, numbers, slot, image, indices, indptr[image],
                indptr[image + 1], visits[_FIRST, v], visits[_LAST, v],
            )  # fmt: skip
            slot += visits[_LAST, v] - visits[_FIRST, v]


@kernel(inline=True)
def open_pairs(inputs, vectors, steps, slot, image, indptr, indices, first, last):
    """Make the steps of the pairs ``first..last-1`` of an image, from `slot` on."""
    begin, end = indptr[image], indptr[image + 1]
    open_visit(inputs, vectors, steps[VECTOR], slot, image, indices, begin, end, first, last)
    for pair in range(first, last):
        steps[POSITIVE, slot] = indices[pair]
        steps[BEGIN, slot] = begin
        steps[END, slot] = end
        slot += 1
