"""The steps of a slot with the softmax loss, which weighs several negatives at once: all labels, or drawn ones.

Groups do not wait for each other. So a slot on the GPU corresponds to a block with one image on the CPU; see
`vsenumba.training.annotation.softmax` and `vsenumba.training.annotation.sampled_softmax`.
"""

from __future__ import annotations

import math

import numpy as np

from vsenumba.gpu.backend import device_function
from vsenumba.gpu.group import LANES, add_at, count, highest, together, total
from vsenumba.gpu.inputs import rate_for_all
from vsenumba.gpu.sampling import aim_by_group, dot_by_group, draw_by_group
from vsenumba.gpu.steps import train_slot
from vsenumba.kernels.random import begin_draws
from vsenumba.losses import value_and_grad
from vsenumba.losses.softmax import SampledSoftmaxState, SoftmaxState
from vsenumba.samplers import trial_probability
from vsenumba.training.annotation.layout import DRAWS, LOSS, SKIPPED, STEPS, TRIALS, VIOLATIONS
from vsenumba.training.annotation.sampled_softmax import LEAST_SHARE

_NONE = np.float32(-np.inf)


@train_slot.implement(SoftmaxState)
def _train_on_all(loss, labels, negatives, data, visit, first, last, room, states, work, group, tally):
    scores = work.scores[group]
    n_labels = labels.table.shape[0]
    for label in range(n_labels):
        score = dot_by_group(room, labels.table, label)
        if label % LANES == room.lane:
            scores[label] = score
    together()
    for j in range(visit.begin + room.lane, visit.end, LANES):
        scores[data.indices[j]] = _NONE
    together()
    count(room, tally, DRAWS, last - first)
    count(room, tally, TRIALS, (last - first) * (n_labels - (visit.end - visit.begin)))
    top = highest_score(room, scores)
    gradient, n_gradients = weigh_positives(loss, labels, data, first, last, room, scores, top, top, tally)
    for label in range(n_labels):
        move_negative(labels, label, gradient, np.float32(n_gradients), scores[label], room)
    return pull_square(room), n_gradients


@train_slot.implement(SampledSoftmaxState)
def _train_on_drawn(loss, labels, negatives, data, visit, first, last, room, states, work, group, tally):
    scores, drawn = work.scores[group], work.drawn[group]
    aimed = aim_by_group(negatives.sampler, room)
    begin_draws(states, 0, first + visit.number, 0)
    own, n_found = 0.0, 0
    for j in range(visit.begin, visit.end):
        own += trial_probability(negatives.sampler, room.vector[: labels.n_factors], data.indices[j])
    for n in range(drawn.shape[0]):
        label, trials = draw_by_group(
            aimed, states, group, room, labels.table, data.indices, visit.begin, visit.end, data.indices[first]
        )
        count(room, tally, TRIALS, trials)
        n_found += label >= 0
        drawn[n] = label
    count(room, tally, DRAWS, drawn.shape[0])
    together()
    of_others = math.log(max(1.0 - own, LEAST_SHARE) / max(n_found, 1))
    best = _NONE
    for n in range(drawn.shape[0]):
        score = _NONE
        if drawn[n] >= 0:
            score = dot_by_group(room, labels.table, drawn[n])
            best = max(best, score)
            probability = trial_probability(negatives.sampler, room.vector[: labels.n_factors], drawn[n])
            score = np.float32(score - math.log(probability) + of_others)
        if n % LANES == room.lane:
            scores[n] = score
    together()
    top = highest_score(room, scores)
    gradient, n_gradients = weigh_positives(loss, labels, data, first, last, room, scores, top, best, tally)
    for n in range(drawn.shape[0]):
        if drawn[n] >= 0:
            move_negative(labels, drawn[n], gradient, np.float32(n_gradients), scores[n], room)
    return pull_square(room), n_gradients


@device_function
def highest_score(room, scores):
    """Return the highest of a group's scores; -inf if there is none."""
    top = _NONE
    for n in range(room.lane, scores.shape[0], LANES):
        top = max(top, scores[n])
    return highest(top)


@device_function
def weigh_positives(loss, labels, data, first, last, room, scores, top, best, tally):
    """Turn scores into shares of the negatives, and update the positives of a slot.

    `top` is the highest score, and `best` the score that a positive must exceed. The function returns the sum of the
    negatives' gradients, which is divided among them by their shares, and the number of positives. See `weigh_slot` and
    `move_positives`.
    """
    if not top > _NONE:
        count(room, tally, SKIPPED, last - first)
        return np.float32(0), 0
    part = np.float32(0)
    for n in range(room.lane, scores.shape[0], LANES):
        power = np.float32(math.exp(scores[n] - top))
        scores[n] = power
        part += power
    mass = total(part)
    for n in range(room.lane, scores.shape[0], LANES):
        scores[n] /= mass
    vector_square = dot_of(room, room.vector, room.vector)
    gradients = np.float32(0)
    # Updating one positive does not change the next score: the vector stays the same, and each positive is another row.
    for pair in range(first, last):
        positive = data.indices[pair]
        score = dot_by_group(room, labels.table, positive)
        value, slope = value_and_grad(loss, score - top - math.log(mass), 1)
        count(room, tally, STEPS, 1)
        count(room, tally, LOSS, value)
        count(room, tally, VIOLATIONS, score <= best)
        gradient = np.float32(slope)
        if gradient == 0:
            continue  # the score is so high that nothing changes, not even by weight decay
        gradients -= gradient
        mean_square = gradient * gradient * vector_square / np.float32(labels.n_factors)
        rate = rate_for_all(room, labels.optimiser, labels.rate, labels.sums, positive, mean_square)
        row = labels.table[positive]
        for r in range(room.rounds):
            f = LANES * r + room.lane
            room.pull[f] += gradient * row[f]
            add_at(row, f, -rate * (gradient * room.vector[f] + labels.l2 * row[f]))
    together()
    return gradients, last - first


@device_function
def move_negative(labels, label, gradient, n_gradients, share, room):
    """Move a label away from the vector by its share, and add to the gradient of the slot's vector."""
    if share > 0:
        of_negative, decay = gradient * share, labels.l2 * share * n_gradients
        mean_square = of_negative * of_negative * dot_of(room, room.vector, room.vector) / np.float32(labels.n_factors)
        rate = rate_for_all(room, labels.optimiser, labels.rate, labels.sums, label, mean_square)
        row = labels.table[label]
        for r in range(room.rounds):
            f = LANES * r + room.lane
            a = row[f]
            room.pull[f] += of_negative * a
            add_at(row, f, -rate * (of_negative * room.vector[f] + decay * a))


@device_function
def dot_of(room, first, second):
    """Return the dot product of two rows of shared memory."""
    part = np.float32(0)
    for r in range(room.rounds):
        f = LANES * r + room.lane
        part += first[f] * second[f]
    return total(part)


@device_function
def pull_square(room):
    """Return the squared length of the gradient of a slot's vector."""
    return dot_of(room, room.pull, room.pull)
