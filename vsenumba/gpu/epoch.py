"""The loop over images on a GPU: each group of lanes visits one image after another.

Groups work in parallel and update the tables without locks. Several groups may update the same row of labels or context
vectors, or the same sum, so these updates are atomic additions and none is lost. A group may read a row just before
another group changes it.
"""

from __future__ import annotations

import functools

import numpy as np
from numba import float32, float64, uint64

from vsenumba.gpu import losses as losses  # registers its implementation of `value_and_grad`
from vsenumba.gpu import softmax as softmax  # registers its implementations of `train_slot`
from vsenumba.gpu.backend import cuda, device_function
from vsenumba.gpu.group import LANES, begin_sharing, count, end_sharing, lane, together
from vsenumba.gpu.inputs import add_base, move_inputs, take_out_own
from vsenumba.gpu.layout import ROOM_ROWS, Room, Visit
from vsenumba.gpu.steps import train_slot
from vsenumba.kernels.random import HIGH_KEY, LOW_KEY
from vsenumba.training.annotation.inputs.kind import shares_vector
from vsenumba.training.annotation.layout import BLOCK, SKIPPED, TALLY_COLUMNS


@functools.lru_cache
def launch_for(rounds, per_block):
    """Return the kernel for rows of ``rounds * LANES`` numbers and `per_block` groups per block.

    The kernel's parameters are:

    order : (n,) int32 or int64
        Rows of images that have labels. One group visits each image.
    data, labels, negatives, work : Pairs, Labels, Negatives, GroupWork
        See `vsenumba.gpu.layout`.
    inputs, input_rate : InputsState, float32
        The representation of the images, and the learning rate of its tables.
    loss : NamedTuple
        The state of the loss.
    key : (2,) uint64
        The key of the epoch.
    """
    shape, tally_shape = (per_block, ROOM_ROWS, rounds * LANES), (per_block, TALLY_COLUMNS)

    def run_launch(order, data, labels, negatives, inputs, input_rate, loss, key, work):
        begin_sharing()
        shared = cuda.shared.array(shape, float32)
        tallies = cuda.shared.array(tally_shape, float64)
        end_sharing()
        rows = shared[cuda.threadIdx.y]
        room = Room(rows[0], rows[1], rows[2], rows[3], lane(), labels.table.shape[1] // LANES)
        states = cuda.local.array((1, 3), uint64)
        states[0, LOW_KEY], states[0, HIGH_KEY] = key[0], key[1]
        tally = tallies[cuda.threadIdx.y]
        if room.lane == 0:
            tally[:] = 0
        group = cuda.blockIdx.x * cuda.blockDim.y + cuda.threadIdx.y
        for place in range(group, order.shape[0], cuda.gridDim.x * cuda.blockDim.y):
            row, at, number = order[place], np.int64(order[place]), np.int64(0)
            if data.numbers.shape[0] > 0:
                at, number = np.int64(place), data.numbers[place] - data.indptr[place]
            begin, end = data.indptr[at], data.indptr[at + 1]
            for first in range(begin, end, BLOCK):
                visit = Visit(row, place, begin, end, first, min(end, first + BLOCK), number)
                visit_image(data, labels, negatives, inputs, input_rate, loss, visit, room, states, work, group, tally)
        if room.lane == 0:
            for column in range(TALLY_COLUMNS):
                work.tally[group, column] += tally[column]

    return cuda.jit(run_launch)


@device_function
def visit_image(data, labels, negatives, inputs, input_rate, loss, visit, room, states, work, group, tally):
    """Train on the pairs of a visit, slot by slot, then update the tables that the image's vector is computed from."""
    for r in range(room.rounds):
        f = LANES * r + room.lane
        room.base[f] = 0
        room.pulls[f] = 0
    if not add_base(inputs, room, visit, data.indices):
        count(room, tally, SKIPPED, negatives.n_negatives * (visit.last - visit.first))
        return
    square, n_gradients = np.float32(0), 0
    per_slot = visit.last - visit.first if shares_vector(inputs) else 1
    for first in range(visit.first, visit.last, per_slot):
        for r in range(room.rounds):
            f = LANES * r + room.lane
            room.vector[f] = room.base[f]
            room.pull[f] = 0
        if not shares_vector(inputs):
            take_out_own(inputs, room, visit, data.indices[first])
        together()
        slot_square, n = train_slot(
            loss, labels, negatives, data, visit, first, first + per_slot, room, states, work, group, tally
        )
        square += slot_square
        n_gradients += n
        for r in range(room.rounds):
            f = LANES * r + room.lane
            room.pulls[f] += room.pull[f]
            if not shares_vector(inputs):
                work.pulls[group, first - visit.first, f] = room.pull[f]
        together()
    move_inputs(
        inputs, labels.optimiser, input_rate, labels.l2, labels.n_factors, room, work.pulls[group], visit,
        data.indices, square, np.float32(n_gradients),
    )  # fmt: skip
