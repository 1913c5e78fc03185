"""The representation of images on a GPU, for a group of lanes; see `vsenumba.training.annotation.inputs.kind`.

An image's vector starts from a *base* that all of its pairs share. With labels among the inputs, the context vector of
the pair's own label is then subtracted.
"""

from __future__ import annotations

import math

import numpy as np

from vsenumba.gpu.backend import device_function
from vsenumba.gpu.group import LANES, add_and_get, add_at, from_lane, total
from vsenumba.kernels.compiler import dispatched
from vsenumba.training.annotation.inputs.features import FeaturesState
from vsenumba.training.annotation.inputs.ids import SETTLED, IdsState
from vsenumba.training.annotation.inputs.labels import LabelsState
from vsenumba.training.annotation.inputs.sum import EVERY_PART, InputsState, Nothing
from vsenumba.training.optimisers import AdagradState, SgdState


@dispatched
def add_base(inputs, room, visit, indices):
    """Add this input's part to the base of a visit; return whether the input knows the image."""
    raise TypeError(f"no GPU version of an input uses the state {type(inputs).__name__}")


@dispatched
def take_out_own(inputs, room, visit, label):
    """Subtract from a vector what the pair's own label contributed to it. Most inputs do nothing."""


@dispatched
def move_inputs(inputs, optimiser, rate, l2, n_factors, room, slots, visit, indices, square, n_gradients):
    """Update an input's tables with the gradients of the visit's vectors.

    Parameters
    ----------
    inputs, optimiser : NamedTuple
        States; their classes select the implementation.
    rate, l2, n_factors : float32, float32, int
        The learning rate, the weight decay per step, and k without padding.
    room : Room
        The group's shared memory. ``room.pulls`` is the sum of the gradients of the visit's vectors.
    slots : (BLOCK or 0, padded k) float32
        The gradient of each vector, if every pair has its own vector.
    visit, indices : Visit, (n_pairs,) int32
        The visit, and the labels of all images.
    square, n_gradients : float32
        The sum of the squared lengths of the gradients, and their number.
    """
    raise TypeError(f"no GPU version of an input uses the state {type(inputs).__name__}")


@dispatched
def shared_rate(optimiser, rate, sums, row, mean_square):
    """Return the learning rate of a row that several groups may update; see `row_rate`. A single lane calls this."""
    raise TypeError(f"no GPU version of an optimiser uses the state {type(optimiser).__name__}")


@shared_rate.implement(AdagradState)
def _shared_adagrad(optimiser, rate, sums, row, mean_square):
    return np.float32(rate / math.sqrt(add_and_get(sums, row, mean_square)))


@shared_rate.implement(SgdState)
def _shared_sgd(optimiser, rate, sums, row, mean_square):
    return np.float32(rate)


@device_function
def rate_for_all(room, optimiser, rate, sums, row, mean_square):
    """Return the learning rate of a row to every lane of the group."""
    found = np.float32(0)
    if room.lane == 0:
        found = shared_rate(optimiser, rate, sums, row, mean_square)
    return from_lane(found, 0)


@add_base.implement(Nothing)
def _add_nothing(inputs, room, visit, indices):
    return False


@take_out_own.implement(object)
def _take_out_nothing(inputs, room, visit, label):
    pass


@move_inputs.implement(Nothing)
def _move_nothing(inputs, optimiser, rate, l2, n_factors, room, slots, visit, indices, square, n_gradients):
    pass


@add_base.implement(IdsState)
def _add_row(inputs, room, visit, indices):
    for r in range(room.rounds):
        f = LANES * r + room.lane
        room.base[f] += inputs.images[visit.row, f]
    return True


@move_inputs.implement(IdsState)
def _move_row(inputs, optimiser, rate, l2, n_factors, room, slots, visit, indices, square, n_gradients):
    found = rate_for_all(room, optimiser, rate, inputs.sums, visit.row, square / np.float32(n_factors))
    decay = l2 * n_gradients
    if inputs.n_fixed > 0:
        decay *= np.float32(math.sqrt(SETTLED / (visit.end - visit.begin)))
    for r in range(room.rounds):
        f = LANES * r + room.lane
        # The padding has no gradient and stays 0.
        if f >= inputs.n_fixed:
            v = inputs.images[visit.row, f]
            inputs.images[visit.row, f] = v - found * (room.pulls[f] + decay * v)


@add_base.implement(FeaturesState)
def _add_vector(inputs, room, visit, indices):
    for r in range(room.rounds):
        f = LANES * r + room.lane
        room.base[f] += inputs.vectors[visit.place, f]
    return True


@move_inputs.implement(FeaturesState)
def _keep_gradient(inputs, optimiser, rate, l2, n_factors, room, slots, visit, indices, square, n_gradients):
    for r in range(room.rounds):
        f = LANES * r + room.lane
        inputs.gradients[visit.place, f] += room.pulls[f]


@device_function
def weight_of(inputs, visit):
    """Return the factor that scales the sum of an image's other labels."""
    n_others = np.float32(max(visit.end - visit.begin - 1, 1))
    return np.float32(math.exp(-np.float32(inputs.power) * np.float32(math.log(n_others))))


@add_base.implement(LabelsState)
def _add_labels(inputs, room, visit, indices):
    weight = weight_of(inputs, visit)
    for r in range(room.rounds):
        f = LANES * r + room.lane
        part = np.float32(0)
        for j in range(visit.begin, visit.end):
            part += inputs.context[indices[j], f]
        room.base[f] += weight * part
    return visit.end - visit.begin > 1


@take_out_own.implement(LabelsState)
def _take_out_label(inputs, room, visit, label):
    weight = weight_of(inputs, visit)
    for r in range(room.rounds):
        f = LANES * r + room.lane
        room.vector[f] -= weight * inputs.context[label, f]


@move_inputs.implement(LabelsState)
def _move_labels(inputs, optimiser, rate, l2, n_factors, room, slots, visit, indices, square, n_gradients):
    if visit.end - visit.begin < 2:
        return  # the only label was not part of any vector, so it does not decay
    weight = weight_of(inputs, visit)
    for j in range(visit.begin, visit.end):
        label = indices[j]
        # A label is part of the vector of every pair except its own.
        is_own = visit.first <= j < visit.last
        own = np.float32(1) if is_own else np.float32(0)
        slot = j - visit.first if is_own else 0
        part = np.float32(0)
        for r in range(room.rounds):
            f = LANES * r + room.lane
            gradient = weight * (room.pulls[f] - own * slots[slot, f])
            part += gradient * gradient
        found = rate_for_all(room, optimiser, rate, inputs.sums, label, total(part) / np.float32(n_factors))
        row = inputs.context[label]
        for r in range(room.rounds):
            f = LANES * r + room.lane
            gradient = weight * (room.pulls[f] - own * slots[slot, f])
            add_at(row, f, -found * (gradient + l2 * row[f]))


@add_base.implement(InputsState)
def _add_parts(inputs, room, visit, indices):
    parts = inputs.parts[visit.place] if inputs.parts.shape[0] else EVERY_PART
    found = False
    if parts & 1:
        found = add_base(inputs.first, room, visit, indices)
    if parts & 2:
        found = add_base(inputs.second, room, visit, indices) or found
    if parts & 4:
        found = add_base(inputs.third, room, visit, indices) or found
    return found


@take_out_own.implement(InputsState)
def _take_out_of_parts(inputs, room, visit, label):
    parts = inputs.parts[visit.place] if inputs.parts.shape[0] else EVERY_PART
    if parts & 1:
        take_out_own(inputs.first, room, visit, label)
    if parts & 2:
        take_out_own(inputs.second, room, visit, label)
    if parts & 4:
        take_out_own(inputs.third, room, visit, label)


@move_inputs.implement(InputsState)
def _move_parts(inputs, optimiser, rate, l2, n_factors, room, slots, visit, indices, square, n_gradients):
    parts = inputs.parts[visit.place] if inputs.parts.shape[0] else EVERY_PART
    if parts & 1:
        move_inputs(
            inputs.first, optimiser, rate, l2, n_factors, room, slots, visit, indices, square, n_gradients
        )  # fmt: skip
    if parts & 2:
        move_inputs(
            inputs.second, optimiser, rate, l2, n_factors, room, slots, visit, indices, square, n_gradients
        )  # fmt: skip
    if parts & 4:
        move_inputs(
            inputs.third, optimiser, rate, l2, n_factors, room, slots, visit, indices, square, n_gradients
        )  # fmt: skip
