"""Draws by a group of lanes: the same negatives as `vsenumba.samplers.draw` for the same state and factors.

Every lane draws the same random numbers from its own random state. Work along a row is divided among the lanes. Sums
over the lanes are added up in a different order than on the CPU, so if two scores are nearly equal, the other label
may win. To add a GPU version of a sampler, implement `draw_by_group` for its state, and `refresh_on_card` if it has a
refresh.
"""

from __future__ import annotations

import numpy as np

from vsenumba.gpu.backend import device_function
from vsenumba.gpu.group import LANES, highest, together, total
from vsenumba.kernels.bits import float_bits
from vsenumba.kernels.compiler import dispatched, kernel
from vsenumba.kernels.membership import contains
from vsenumba.kernels.random import next_below, next_uniform
from vsenumba.samplers import MAX_REJECTIONS, draw
from vsenumba.samplers.adaptive import AdaptiveState, draw_label
from vsenumba.samplers.dynamic import DynamicState
from vsenumba.samplers.popularity import PopularityState
from vsenumba.samplers.rank import RankState
from vsenumba.samplers.rank_law import draw_rank
from vsenumba.samplers.uniform import UniformState
from vsenumba.samplers.warp import WarpState
from vsenumba.training.annotation.absences import AbsencesState, NoAbsences

_NEGATIVE_ZERO, _MAGNITUDE = np.int32(-(2**31)), np.int32(0x7FFFFFFF)
_MIDDLE = np.int64(2**31)


@dispatched
def draw_by_group(sampler, states, group, room, labels, indices, begin, end, positive):
    """Draw a negative for one pair; see `vsenumba.samplers.draw`.

    Parameters
    ----------
    states : (1, 3) uint64
        The lane's random state.
    group : int
        The number of the group, which selects its own part of the sampler's state.
    room : Room
        The group's shared memory. All lanes can read the image's vector, ``room.vector``.
    sampler, labels, indices, begin, end, positive
        As in `vsenumba.samplers.draw`. The rows of the table are padded.
    """
    raise TypeError(f"no GPU version of a sampler uses the state {type(sampler).__name__}")


@dispatched
def aim_by_group(sampler, room):
    """Return the sampler's state for several draws with one vector; see `vsenumba.samplers.aim`."""


@dispatched
def negative_by_group(absences, sampler, states, group, room, labels, indices, visit, positive):
    """Draw a negative, which may be a verified absence; see `vsenumba.training.annotation.absences`."""


@device_function
def dot_by_group(room, table, row):
    """Return the dot product of the image's vector and a row of a table."""
    part, other = np.float32(0), table[row]
    for r in range(room.rounds):
        f = LANES * r + room.lane
        part += room.vector[f] * other[f]
    return total(part)


@aim_by_group.implement(object)
def _aim(sampler, room):
    return sampler


@aim_by_group.implement(AdaptiveState)
def _aim_at_factors(sampler, room):
    largest = np.float32(0)
    for f in range(room.lane, sampler.weights.shape[0], LANES):
        largest = max(largest, abs(room.vector[f]) * sampler.weights[f])
    return AdaptiveState(
        sampler.orders, sampler.weights, sampler.step, sampler.scale, sampler.mass, sampler.drawn,
        np.float64(highest(largest)), sampler.places, sampler.by_rank,
    )  # fmt: skip


@draw_by_group.implement(UniformState)
@draw_by_group.implement(PopularityState)
def _draw_alike(sampler, states, group, room, labels, indices, begin, end, positive):
    return draw(sampler, states, 0, room.vector, labels, indices, begin, end, positive)


@draw_by_group.implement(WarpState)
def _search(sampler, states, group, room, labels, indices, begin, end, positive):
    score = np.float64(dot_by_group(room, labels, positive)) if positive >= 0 else -np.inf
    for trial in range(sampler.max_trials):
        label = np.int64(trial) if sampler.in_order else next_below(states, 0, sampler.n_labels)
        reached = sampler.margin + np.float64(dot_by_group(room, labels, label))
        if reached > score and not contains(indices, begin, end, label):
            return label, trial + 1
    return np.int64(-1), sampler.max_trials


@dispatched
def candidate(sampler, states, room):
    """Draw one of several candidates, the best of which is used. A candidate may be a known label of the image."""
    raise TypeError(f"no GPU version of a sampler draws candidates with the state {type(sampler).__name__}")


@candidate.implement(DynamicState)
def _uniform_candidate(sampler, states, room):
    return next_below(states, 0, sampler.n_labels)


@candidate.implement(AdaptiveState)
def _adaptive_candidate(sampler, states, room):
    return draw_label(sampler, states, 0, room.vector[: sampler.weights.shape[0]], sampler.largest)


@draw_by_group.implement(DynamicState)
@draw_by_group.implement(AdaptiveState)
def _best_of_candidates(sampler, states, group, room, labels, indices, begin, end, positive):
    best, best_score, trials = np.int64(-1), -np.inf, 0
    n_candidates = sampler.drawn.shape[1]
    for _ in range(n_candidates):
        found = np.int64(-1)
        for _ in range(MAX_REJECTIONS):
            trials += 1
            label = candidate(sampler, states, room)
            if not contains(indices, begin, end, label):
                found = label
                break
        if found >= 0:
            # A single candidate needs no score.
            score = np.float64(dot_by_group(room, labels, found)) if n_candidates > 1 else np.float64(0)
            if score > best_score:
                best, best_score = found, score
    return best, trials


@draw_by_group.implement(RankState)
def _draw_by_rank(sampler, states, group, room, labels, indices, begin, end, positive):
    keys = sampler.order[group]
    n_labels = keys.shape[0]
    for label in range(n_labels):
        score = dot_by_group(room, labels, label)
        if label % LANES == room.lane:
            keys[label] = falling_key(score)
    together()
    for trial in range(MAX_REJECTIONS):
        label = label_of_rank(room, keys, draw_rank(states, 0, 1, sampler.scale, sampler.mass, n_labels))
        if not contains(indices, begin, end, label):
            return label, trial + 1
    return np.int64(-1), MAX_REJECTIONS


@kernel(inline=True)
def falling_key(score):
    """Return an int32 key that sorts float32 scores in descending order; both zeros have the same key."""
    bits = float_bits(score)
    if bits == _NEGATIVE_ZERO:
        bits = np.int32(0)
    rising = bits if bits >= 0 else bits ^ _MAGNITUDE
    return np.int32(-1) - np.int32(rising)


@device_function
def label_of_rank(room, keys, rank):
    """Return the label at a rank, if labels are sorted by their keys and labels with equal keys by their numbers.

    The key is found bit by bit from the top. Each pass counts the labels whose key starts with the bits found so far
    and then a 0. The number of the label is found in the same way. Nothing is moved, and all lanes share each pass.
    """
    key, left, bit = np.int64(0), np.int64(rank), np.int64(31)
    while bit >= 0:
        n = np.int64(0)
        for label in range(room.lane, keys.shape[0], LANES):
            n += (np.int64(keys[label]) + _MIDDLE) >> bit == key >> bit
        n = total(n)
        if left >= n:
            left -= n
            key |= np.int64(1) << bit
        bit -= 1
    found, step = np.int64(0), np.int64(1)
    while step < keys.shape[0]:
        step <<= 1
    while step > 0:
        n = np.int64(0)
        for label in range(found + room.lane, min(found + step, keys.shape[0]), LANES):
            n += np.int64(keys[label]) + _MIDDLE == key
        n = total(n)
        if left >= n:
            left -= n
            found += step
        step >>= 1
    return found


@negative_by_group.implement(NoAbsences)
def _by_sampler(absences, sampler, states, group, room, labels, indices, visit, positive):
    return draw_by_group(sampler, states, group, room, labels, indices, visit.begin, visit.end, positive)


@negative_by_group.implement(AbsencesState)
def _by_absences(absences, sampler, states, group, room, labels, indices, visit, positive):
    begin, end = absences.indptr[visit.row], absences.indptr[visit.row + 1]
    if end > begin and next_uniform(states, 0) < absences.share:
        return np.int64(absences.indices[begin + next_below(states, 0, end - begin)]), 1
    return draw_by_group(sampler, states, group, room, labels, indices, visit.begin, visit.end, positive)
