"""The steps of a slot: the pairs that share an image's vector, each with its negatives in turn.

On the processor the steps of a block see the tables as they were when it began. Here each sees what the steps before it
did, and whatever other groups have done meanwhile; an image's own vector stays as it was when its visit began.
"""

from __future__ import annotations

import numpy as np

from vsenumba.gpu.backend import device_function
from vsenumba.gpu.group import LANES, add_at, count, from_lane, totals
from vsenumba.gpu.inputs import shared_rate
from vsenumba.gpu.sampling import aim_by_group, negative_by_group
from vsenumba.kernels.compiler import dispatched
from vsenumba.kernels.random import begin_draws
from vsenumba.losses import value_and_grad
from vsenumba.training.annotation.layout import DRAWS, LOSS, SKIPPED, STEPS, TRIALS, VIOLATIONS


@dispatched
def train_slot(loss, labels, negatives, data, visit, first, last, room, states, work, group, tally):
    """Train on the pairs ``first..last-1`` of a visit: move the labels, and leave the gradient in the vector.

    Parameters
    ----------
    loss : NamedTuple
        A loss's state; its class picks the implementation.
    labels, negatives, data : Labels, Negatives, Pairs
        What is trained on; see `vsenumba.gpu.layout`.
    visit : Visit
        The image's turn.
    room : Room
        The group's shared memory; the gradient is added to ``room.pull``.
    states : (1, 3) uint64
        The lane's random state.
    work, group : GroupWork, int
        The groups' work space, and whose turn it is.
    tally : (TALLY_COLUMNS,) float64
        The group's counts.

    Returns
    -------
    square, n_gradients : float32, int
        The sum of the squared lengths of the gradients in the vector, and how many these are.
    """  # every class has an implementation: that for all is below


@train_slot.implement(object)
def _train_pairs(loss, labels, negatives, data, visit, first, last, room, states, work, group, tally):
    square, n_gradients = np.float32(0), 0
    aimed = aim_by_group(negatives.sampler, room)
    for pair in range(first, last):
        positive = data.indices[pair]
        for n in range(negatives.n_negatives):
            begin_draws(states, 0, pair + visit.number, n)
            negative, trials = negative_by_group(
                negatives.absences, aimed, states, group, room, labels.table, data.indices, visit, positive
            )
            count(room, tally, TRIALS, trials)
            count(room, tally, DRAWS, 1)
            if negative < 0:
                count(room, tally, SKIPPED, 1)
            else:
                square += train_step(loss, labels, positive, negative, trials, room, tally)
                n_gradients += 1
    return square, n_gradients


@device_function
def train_step(loss, labels, positive, negative, trials, room, tally):
    """Move a positive and a negative; return the squared length of the gradient in the image's vector."""
    up_row, down_row, vector, pull = labels.table[positive], labels.table[negative], room.vector, room.pull
    difference, vector_square, gap_square = np.float32(0), np.float32(0), np.float32(0)
    for r in range(room.rounds):
        f = LANES * r + room.lane
        x = vector[f]
        gap = up_row[f] - down_row[f]
        difference += x * gap
        vector_square += x * x
        gap_square += gap * gap
    difference, vector_square, gap_square = totals(difference, vector_square, gap_square)
    value, slope = value_and_grad(loss, difference, trials)
    count(room, tally, STEPS, 1)
    count(room, tally, LOSS, value)
    count(room, tally, VIOLATIONS, difference <= 0)
    gradient = np.float32(slope)
    square = gradient * gradient
    # Two lanes ask for the two rates at once: each waits for memory.
    rate = np.float32(0)
    if room.lane < 2:
        row = positive if room.lane == 0 else negative
        mean_square = square * vector_square / np.float32(labels.n_factors)
        rate = shared_rate(labels.optimiser, labels.rate, labels.sums, row, mean_square)
    up, down = from_lane(rate, 0), from_lane(rate, 1)
    for r in range(room.rounds):
        f = LANES * r + room.lane
        p, n = up_row[f], down_row[f]
        in_positive = gradient * vector[f]
        pull[f] += gradient * (p - n)
        add_at(up_row, f, -up * (in_positive + labels.l2 * p))
        add_at(down_row, f, -down * (labels.l2 * n - in_positive))
    return square * gap_square
