"""The steps of a slot: the pairs that share an image's vector, with one negative after another.

On the CPU, all steps of a block use the tables as they were at its start. Here each step uses the tables after the
previous steps, including the updates of other groups. Only the image's own vector stays the same during its visit.
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
    """Train on the pairs ``first..last-1`` of a visit: update the labels, and add up the gradient of the vector.

    Parameters
    ----------
    loss : NamedTuple
        The state of a loss; its class selects the implementation.
    labels, negatives, data : Labels, Negatives, Pairs
        The tables, the sampler and the pairs; see `vsenumba.gpu.layout`.
    visit : Visit
        The visit of the image.
    room : Room
        The group's shared memory. The gradient is added to ``room.pull``.
    states : (1, 3) uint64
        The lane's random state.
    work, group : GroupWork, int
        The work space of all groups, and the number of this group.
    tally : (TALLY_COLUMNS,) float64
        The group's counts.

    Returns
    -------
    square, n_gradients : float32, int
        The sum of the squared lengths of the vector's gradients, and their number.
    """  # a loss without its own implementation uses the one below


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
    """Update a positive and a negative; return the squared length of the gradient of the image's vector."""
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
    # Two lanes compute the two learning rates at the same time, because each waits for memory.
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
