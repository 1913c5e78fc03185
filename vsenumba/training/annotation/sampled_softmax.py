"""The steps of a block with the softmax loss over drawn negatives, which are weighted by their probabilities."""

from __future__ import annotations

import math

import numpy as np

from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.dot import dot
from vsenumba.kernels.prefetch import prefetch_row
from vsenumba.kernels.random import begin_draws
from vsenumba.losses.softmax import SampledSoftmaxState
from vsenumba.samplers import aim, draw, trial_probability
from vsenumba.training.annotation.layout import (
    BEGIN,
    BLOCK,
    DIFFERENCE,
    DRAWS,
    END,
    GRADIENT,
    N_GRADIENTS,
    PAIR,
    POSITIVE,
    SKIPPED,
    SLOT,
    TRIALS,
    UP,
)  # fmt: skip
from vsenumba.training.annotation.softmax import begin_step, measure_gradients, move_positives, weigh_slot
from vsenumba.training.annotation.steps import train_block
from vsenumba.training.optimisers import row_rate

# The least share of the law that belongs to labels that an image does not have; smaller shares are rounding errors.
LEAST_SHARE = 2.0**-53


@train_block.implement(SampledSoftmaxState)
def train_on_drawn(
    loss, n_steps, indices, labels, sums, sampler, optimiser, learning_rate, l2, n_negatives, states, shard, vectors,
    steps, numbers, tally, scores, drawn, absences,
):  # fmt: skip
    """Train on a block's steps: draw the negatives of each slot, weight them, update the positives, then the negatives.

    The weight decay of a label is as if each step had drawn one negative with the softmax's probabilities.
    """
    for s in range(n_steps):
        begin_step(s, numbers)
        if steps[SLOT, s] == s:
            draw_slot(s, labels, indices, sampler, states, shard, vectors[s], steps, drawn[s], tally)
        elif steps[SLOT, s] < 0:
            tally[SKIPPED] += 1
    for s in range(n_steps):
        if steps[SLOT, s] == s:
            score_slot(s, labels, indices, sampler, vectors[s], steps, numbers, scores[s], drawn[s])
            stop = s
            while stop < n_steps and steps[SLOT, stop] == s:
                numbers[GRADIENT, stop] = dot(vectors[s], labels, steps[POSITIVE, stop])
                stop += 1
            weigh_slot(s, stop, loss, numbers, tally, scores)
    move_positives(n_steps, labels, sums, optimiser, learning_rate, l2, vectors, steps, numbers)
    for s in range(n_steps):
        if steps[SLOT, s] == s:
            move_drawn(
                labels, sums, optimiser, learning_rate, l2, vectors[s], vectors[s + BLOCK], numbers[UP, s],
                numbers[N_GRADIENTS, s], scores[s], drawn[s],
            )  # fmt: skip
    measure_gradients(n_steps, vectors, steps, numbers)


@kernel
def draw_slot(slot, labels, indices, sampler, states, shard, image, steps, drawn, tally):
    """Draw the negatives of a slot."""
    begin, end, positive = steps[BEGIN, slot], steps[END, slot], steps[POSITIVE, slot]
    aimed = aim(sampler, image)
    begin_draws(states, shard, steps[PAIR, slot], 0)
    for n in range(drawn.shape[0]):
        label, trials = draw(aimed, states, shard, image, labels, indices, begin, end, positive)
        drawn[n] = label
        tally[TRIALS] += trials
        if label >= 0:
            prefetch_row(labels, label)
    tally[DRAWS] += drawn.shape[0]


@kernel
def score_slot(slot, labels, indices, sampler, image, steps, numbers, scores, drawn):
    """Compute a slot's scores minus the logarithms of the expected counts; store the highest score in `DIFFERENCE`."""
    own = 0.0
    for j in range(steps[BEGIN, slot], steps[END, slot]):
        own += trial_probability(sampler, image, indices[j])
    n_found = 0
    for n in range(drawn.shape[0]):
        n_found += drawn[n] >= 0
    # Draws of the image's known labels are rejected, which makes all other labels more likely.
    of_others = math.log(max(1.0 - own, LEAST_SHARE) / max(n_found, 1))
    numbers[DIFFERENCE, slot] = -np.inf
    for n in range(drawn.shape[0]):
        scores[n] = -np.inf
        if drawn[n] >= 0:
            score = dot(image, labels, drawn[n])
            numbers[DIFFERENCE, slot] = max(numbers[DIFFERENCE, slot], score)
            scores[n] = score - math.log(trial_probability(sampler, image, drawn[n])) + of_others


@kernel
def move_drawn(labels, sums, optimiser, learning_rate, l2, image, pull, gradient, n_gradients, shares, drawn):
    """Move a slot's negatives away from the image by their shares, and add the gradients of the vector to `pull`."""
    n_factors = image.shape[0]
    square = np.float32(0)
    for f in range(n_factors):
        square += image[f] * image[f]
    for n in range(drawn.shape[0]):
        if shares[n] > 0:
            label, of_negative, decay = drawn[n], gradient * shares[n], l2 * shares[n] * n_gradients
            mean_square = of_negative * of_negative * square / np.float32(n_factors)
            rate = np.float32(row_rate(optimiser, learning_rate, sums, label, mean_square))
            for f in range(n_factors):
                a = labels[label, f]
                pull[f] += of_negative * a
                labels[label, f] = a - rate * (of_negative * image[f] + decay * a)
