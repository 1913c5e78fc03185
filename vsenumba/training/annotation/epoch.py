"""The compiled loop over images and their pairs, for every sampler, loss, optimiser and kind of input.

Shards run in parallel and update the tables without locks (Hogwild; Niu et al. 2011). They rarely share a row, and a
lost update costs less than a lock. Each shard has its own random state, work space and row of the tally.

Within a shard the pairs are trained in blocks. All steps of a block use the tables as they were at its start, so the
steps do not wait for each other, which doubles the speed. All pairs of an image give one gradient.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.prefetch import prefetch
from vsenumba.training.annotation import sampled_softmax as sampled_softmax  # registers its `train_block`
from vsenumba.training.annotation import softmax as softmax  # registers its `train_block`
from vsenumba.training.annotation.absences import note_absences
from vsenumba.training.annotation.inputs.kind import gather_visit, prefetch_visit, scatter_visit, shares_vector
from vsenumba.training.annotation.inputs.sum import InputsState
from vsenumba.training.annotation.layout import BEGIN, BLOCK, END, FIRST, LAST, PAIR, PLACE, POSITIVE, ROW, SLOT, Visit
from vsenumba.training.annotation.steps import train_block

# Memory is prefetched for the image that comes this number of places later in the order.
_AHEAD = 8


@kernel(parallel=True)
def run_launch(
    order, bounds, parts, indptr, indices, labels, sums, first, second, third, sampler, loss, optimiser, rates, l2,
    n_negatives, states, work, absences,
):  # fmt: skip
    """Train on the images of `order`; shard s trains on ``order[bounds[s]:bounds[s + 1]]``.

    Parameters
    ----------
    order, bounds : (n,) int32 or int64, (n_shards + 1,) int64
        The rows of images that have labels, in the order of their visits, and the parts of the shards.
    parts : (n,) or (0,) uint8
        The inputs that represent each of the images; see `Launch`.
    indptr, indices : (n_images + 1,) int64, (n_pairs,) int32
        The labels of all images in CSR form.
    labels, sums : (L, k) float32, (L,) or (0,) float32
        The label factors, and the optimiser's sums of them.
    first, second, third : NamedTuple
        The states of the inputs, which are added up; `Nothing` for an unused one. They are separate parameters because
        a parallel loop cannot read a named tuple inside a named tuple.
    sampler, loss, optimiser : NamedTuple
        States; their classes select the implementation.
    rates : (2,) float32
        The learning rates of the label factors and of the inputs' tables.
    l2 : float32
        The weight decay per step.
    n_negatives : int
        The number of negatives per pair.
    states : (n_shards, 8 + BLOCK) uint64
        The random states, with the key of the epoch; see `block_states`.
    work : Work
        The work space of the shards.
    absences : NamedTuple
        The state of the verified absences; its class selects the implementation.
    """
    for number in prange(bounds.shape[0] - 1):
        # Numba types the number of a parallel loop as signed first and as unsigned later, and would compile twice.
        shard = np.int64(number)
        run_shard(
            order, bounds[shard], bounds[shard + 1], indptr, indices, labels, sums,
            InputsState(first, second, third, parts), sampler, loss, optimiser, rates, l2, n_negatives, states, shard,
            work.vectors[shard], work.steps[shard], work.numbers[shard], work.visits[shard], work.tally[shard],
            work.scores[shard], work.drawn[shard], absences,
        )  # fmt: skip


@kernel
def run_shard(
    order, at, stop, indptr, indices, labels, sums, inputs, sampler, loss, optimiser, rates, l2, n_negatives, states,
    shard, vectors, steps, numbers, visits, tally, scores, drawn, absences,
):  # fmt: skip
    """Train on the images ``order[at:stop]``, one block after another."""
    # The next pair of an image whose pairs do not fit into one block.
    rest = np.int64(0)
    while at < stop:
        n_visits, n_steps = 0, 0
        full = False
        while at < stop and not full:
            row = order[at]
            end = indptr[row + 1]
            first = max(rest, indptr[row])
            # A block has whole images while they fit. An image with more pairs than a block is visited in parts.
            full = n_steps > 0 and n_steps + end - first > BLOCK
            if not full:
                last = min(end, first + BLOCK)
                if at + 2 * _AHEAD < stop:
                    prefetch(indptr, order[at + 2 * _AHEAD])
                    prefetch_visit(inputs, order[at + _AHEAD], indptr, indices)
                open_pairs(inputs, vectors, steps, visit_of(inputs, indptr, row, at, first, last, n_steps), indices)
                note_absences(absences, steps, row, n_steps, last - first)
                visits[ROW, n_visits] = row
                visits[PLACE, n_visits] = at
                visits[FIRST, n_visits] = first
                visits[LAST, n_visits] = last
                n_visits += 1
                n_steps += last - first
                full = last < end
                rest = last if full else np.int64(0)
                at += 0 if full else 1
        train_block(
            loss, n_steps, indices, labels, sums, sampler, optimiser, rates[0], l2, n_negatives, states, shard, vectors,
            steps, numbers, tally, scores, drawn, absences,
        )  # fmt: skip
        slot = 0
        for v in range(n_visits):
            visit = visit_of(inputs, indptr, visits[ROW, v], visits[PLACE, v], visits[FIRST, v], visits[LAST, v], slot)
            scatter_visit(inputs, optimiser, rates[1], l2, vectors, numbers, visit, indices)
            slot += visit.last - visit.first


@kernel(inline=True)
def visit_of(inputs, indptr, row, place, first, last, slot):
    """Return the visit of an image for the pairs ``first..last-1``, whose slots start at `slot`."""
    n_slots = 1 if shares_vector(inputs) else last - first
    return Visit(row, place, indptr[row], indptr[row + 1], first, last, slot, n_slots)


@kernel(inline=True)
def open_pairs(inputs, vectors, steps, visit, indices):
    """Prepare the steps of a visit's pairs."""
    for s in range(visit.slot + BLOCK, visit.slot + BLOCK + visit.n_slots):
        for f in range(vectors.shape[1]):
            vectors[s, f] = 0
    has_vector = gather_visit(inputs, vectors, visit, indices, False)
    for pair in range(visit.first, visit.last):
        steps[PAIR, visit.slot + pair - visit.first] = pair
    for pair in range(visit.first, visit.last):
        step = visit.slot + pair - visit.first
        own = visit.slot if visit.n_slots == 1 else step
        steps[SLOT, step] = own if has_vector else -1
        steps[POSITIVE, step] = indices[pair]
        steps[BEGIN, step] = visit.begin
        steps[END, step] = visit.end
