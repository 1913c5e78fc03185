"""The steps of a block with the softmax loss over all labels: no draws, but a pass over all labels for each block."""

from __future__ import annotations

import math

import numpy as np

from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.dot import dot
from vsenumba.losses import value_and_grad
from vsenumba.losses.softmax import SoftmaxState
from vsenumba.training.annotation.layout import (
    BEGIN,
    BLOCK,
    DIFFERENCE,
    DRAWS,
    END,
    GRADIENT,
    GRADIENT_SQUARE,
    LOSS,
    N_GRADIENTS,
    POSITIVE,
    SCRATCH,
    SKIPPED,
    SLOT,
    STEPS,
    TRIALS,
    UP,
    VIOLATIONS,
)  # fmt: skip
from vsenumba.training.annotation.steps import train_block
from vsenumba.training.optimisers import row_rate


@train_block.implement(SoftmaxState)
def train_on_all(
    loss, n_steps, indices, labels, sums, sampler, optimiser, learning_rate, l2, n_negatives, states, shard, vectors,
    steps, numbers, tally, scores, drawn, absences,
):  # fmt: skip
    """Train on a block's steps: score all labels, weight them by softmax, update the positives, then the negatives.

    The weight decay of a label is as if each step had drawn one negative with the softmax's probabilities.
    """
    score_labels(n_steps, labels, vectors, steps, scores)
    for s in range(n_steps):
        begin_step(s, numbers)
        if steps[SLOT, s] == s:
            stop = take_out_own(s, n_steps, indices, steps, numbers, scores)
            n_lacking = labels.shape[0] - (steps[END, s] - steps[BEGIN, s])
            tally[DRAWS] += stop - s
            tally[TRIALS] += (stop - s) * n_lacking
            numbers[DIFFERENCE, s] = highest_of(scores[s])
            weigh_slot(s, stop, loss, numbers, tally, scores)
        elif steps[SLOT, s] < 0:
            tally[SKIPPED] += 1
    move_positives(n_steps, labels, sums, optimiser, learning_rate, l2, vectors, steps, numbers)
    move_negatives(n_steps, labels, sums, optimiser, learning_rate, l2, vectors, steps, numbers, scores)
    measure_gradients(n_steps, vectors, steps, numbers)


@kernel(inline=True)
def begin_step(step, numbers):
    """Reset the numbers of a step whose loss weighs several negatives."""
    numbers[GRADIENT_SQUARE, step] = 0
    numbers[N_GRADIENTS, step] = 0
    numbers[UP, step] = 0


@kernel
def score_labels(n_steps, labels, vectors, steps, scores):
    """Compute the scores of all labels for every slot; a label's row is read once for all slots."""
    for label in range(labels.shape[0]):
        for s in range(n_steps):
            if steps[SLOT, s] == s:
                scores[s, label] = dot(vectors[s], labels, label)


@kernel
def take_out_own(slot, n_steps, indices, steps, numbers, scores):
    """Store the scores of a slot's positives in `GRADIENT`, and exclude the image's known labels; return the end.

    The steps of a slot follow each other, starting at the step with the slot's number. The end is the step after them.
    """
    stop = slot
    while stop < n_steps and steps[SLOT, stop] == slot:
        numbers[GRADIENT, stop] = scores[slot, steps[POSITIVE, stop]]
        stop += 1
    for j in range(steps[BEGIN, slot], steps[END, slot]):
        scores[slot, indices[j]] = -np.inf
    return stop


@kernel
def highest_of(scores):
    """Return the highest of some scores; -inf if there is none."""
    highest = np.float32(-np.inf)
    for n in range(scores.shape[0]):
        highest = max(highest, scores[n])
    return highest


@kernel
def weigh_slot(slot, stop, loss, numbers, tally, scores):
    """Turn the scores of a slot's negatives into probabilities, and those of its positives into gradients.

    Before the call, `numbers` has the positives' scores in `GRADIENT`, for the steps from `slot` to `stop` - 1, and in
    `DIFFERENCE` of the slot the score that a positive must exceed. After it, `GRADIENT` has each step's gradient. For
    the slot, `UP` has the sum of these gradients and `N_GRADIENTS` their number. A negative whose score is -inf is
    ignored. The function also updates the tally.
    """
    highest = highest_of(scores[slot])
    has_negatives = highest > -np.inf
    total = np.float32(0)
    for n in range(scores.shape[1]):
        power = math.exp(scores[slot, n] - highest) if has_negatives else np.float32(0)
        scores[slot, n] = power
        total += power
    for s in range(slot, stop):
        if not has_negatives:
            tally[SKIPPED] += 1
            numbers[GRADIENT, s] = 0
            continue
        score = numbers[GRADIENT, s]
        value, gradient = value_and_grad(loss, score - highest - math.log(total), 1)
        tally[STEPS] += 1
        tally[LOSS] += value
        tally[VIOLATIONS] += score <= numbers[DIFFERENCE, slot]
        numbers[GRADIENT, s] = gradient
        numbers[UP, slot] -= gradient
        numbers[N_GRADIENTS, slot] += 1
    share = np.float32(1) / total if has_negatives else np.float32(0)
    for n in range(scores.shape[1]):
        scores[slot, n] *= share


@kernel
def measure_gradients(n_steps, vectors, steps, numbers):
    """Store the squared length of the gradient of each slot's vector."""
    for s in range(n_steps):
        if steps[SLOT, s] == s:
            for f in range(vectors.shape[1]):
                numbers[GRADIENT_SQUARE, s] += vectors[s + BLOCK, f] * vectors[s + BLOCK, f]


@kernel
def move_positives(n_steps, labels, sums, optimiser, learning_rate, l2, vectors, steps, numbers):
    """Move each step's positive towards the image's vector, and add to the gradient of the vector."""
    n_factors = vectors.shape[1]
    for s in range(n_steps):
        slot, gradient = steps[SLOT, s], numbers[GRADIENT, s]
        if slot < 0 or gradient == 0:
            continue
        positive = steps[POSITIVE, s]
        square = np.float32(0)
        for f in range(n_factors):
            square += vectors[slot, f] * vectors[slot, f]
        mean_square = gradient * gradient * square / np.float32(n_factors)
        rate = np.float32(row_rate(optimiser, learning_rate, sums, positive, mean_square))
        for f in range(n_factors):
            p = labels[positive, f]
            vectors[slot + BLOCK, f] += gradient * p
            labels[positive, f] = p - rate * (gradient * vectors[slot, f] + l2 * p)


@kernel
def move_negatives(n_steps, labels, sums, optimiser, learning_rate, l2, vectors, steps, numbers, scores):
    """Move every label away from images without it, by its probability; add to the gradients of their vectors."""
    n_factors = vectors.shape[1]
    for label in range(labels.shape[0]):
        decay = np.float32(0)
        for f in range(n_factors):
            vectors[SCRATCH, f] = 0
        for s in range(n_steps):
            if steps[SLOT, s] == s and scores[s, label] > 0:
                gradient = scores[s, label] * numbers[UP, s]
                decay += scores[s, label] * numbers[N_GRADIENTS, s]
                for f in range(n_factors):
                    vectors[SCRATCH, f] += gradient * vectors[s, f]
                    vectors[s + BLOCK, f] += gradient * labels[label, f]
        if decay > 0:
            square = np.float32(0)
            for f in range(n_factors):
                square += vectors[SCRATCH, f] * vectors[SCRATCH, f]
            rate = np.float32(row_rate(optimiser, learning_rate, sums, label, square / np.float32(n_factors)))
            for f in range(n_factors):
                labels[label, f] -= rate * (vectors[SCRATCH, f] + l2 * decay * labels[label, f])
