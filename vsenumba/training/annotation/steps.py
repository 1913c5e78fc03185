"""The steps of a block: draw a negative for every pair, compare the two scores, and update both labels.

If the loss weighs several labels at once, `vsenumba.training.annotation.softmax` trains the block instead.
"""

from __future__ import annotations

import numpy as np

from vsenumba.kernels.compiler import dispatched, kernel
from vsenumba.kernels.dot import compare
from vsenumba.kernels.random import STATE, WAITING, count_ahead
from vsenumba.losses import value_and_grad
from vsenumba.training.annotation.absences import draw_negative
from vsenumba.training.annotation.layout import (
    BLOCK,
    DIFFERENCE,
    DOWN,
    DRAWS,
    GAP_SQUARE,
    GRADIENT,
    GRADIENT_SQUARE,
    LOSS,
    N_GRADIENTS,
    NEGATIVE,
    PAIR,
    POSITIVE,
    SKIPPED,
    SLOT,
    STEPS,
    TRIALS,
    TRIED,
    UP,
    VECTOR_SQUARE,
    VIOLATIONS,
)  # fmt: skip
from vsenumba.training.optimisers import row_rate


@dispatched
def train_block(
    loss, n_steps, indices, labels, sums, sampler, optimiser, learning_rate, l2, n_negatives, states, shard, vectors,
    steps, numbers, tally, scores, drawn, absences,
):  # fmt: skip
    """Train on the steps of a block: update the labels, and leave the gradients of the images' vectors in the slots.

    Parameters
    ----------
    loss : NamedTuple
        The state of a loss; its class selects the implementation.
    n_steps : int
        The number of steps.
    vectors, steps, numbers, tally, scores, drawn
        The work space of the shard; see `Work`.
    indices, labels, sums, sampler, optimiser, learning_rate, l2, n_negatives, states, shard, absences
        As in `vsenumba.training.annotation.epoch.run_launch`; the learning rate is that of the label factors.
    """  # a loss without its own implementation uses the one below


@train_block.implement(object)
def train_steps(
    loss, n_steps, indices, labels, sums, sampler, optimiser, learning_rate, l2, n_negatives, states, shard, vectors,
    steps, numbers, tally, scores, drawn, absences,
):  # fmt: skip
    """Train on a block's steps with one negative each, then with the next negative.

    The work is divided into several loops. Within each loop no step waits for another, so the CPU works on
    several steps at once.
    """
    numbers[GRADIENT_SQUARE] = 0
    numbers[N_GRADIENTS] = 0
    for n in range(n_negatives):
        count_ahead(states, shard, steps[PAIR], n_steps, n)
        for s in range(n_steps):
            negative, trials = np.int64(-1), 0
            if steps[SLOT, s] >= 0:
                states[shard, STATE] = states[shard, WAITING + s]
                negative, trials = draw_negative(
                    absences, sampler, states, shard, vectors, labels, indices, steps, s
                )  # fmt: skip
            steps[NEGATIVE, s] = negative
            steps[TRIED, s] = trials
        for s in range(n_steps):
            if steps[NEGATIVE, s] >= 0:
                numbers[DIFFERENCE, s], numbers[VECTOR_SQUARE, s], numbers[GAP_SQUARE, s] = compare(
                    vectors, steps[SLOT, s], labels, steps[POSITIVE, s], steps[NEGATIVE, s]
                )
        weigh_steps(n_steps, sums, loss, optimiser, learning_rate, np.float32(vectors.shape[1]), steps, numbers, tally)
        for s in range(n_steps):
            if steps[NEGATIVE, s] >= 0:
                move_labels(
                    labels, vectors, steps[SLOT, s], steps[POSITIVE, s], steps[NEGATIVE, s], numbers[GRADIENT, s],
                    numbers[UP, s], numbers[DOWN, s], l2,
                )  # fmt: skip


@kernel(inline=True)
def weigh_steps(n_steps, sums, loss, optimiser, learning_rate, n_factors, steps, numbers, tally):
    """Turn differences of scores into gradients and learning rates, and update the tally."""
    for s in range(n_steps):
        tally[TRIALS] += steps[TRIED, s]
        tally[DRAWS] += steps[SLOT, s] >= 0
        negative = steps[NEGATIVE, s]
        if negative < 0:
            tally[SKIPPED] += 1
            continue
        difference = numbers[DIFFERENCE, s]
        value, gradient = value_and_grad(loss, difference, steps[TRIED, s])
        tally[STEPS] += 1
        tally[LOSS] += value
        tally[VIOLATIONS] += difference <= 0
        gradient = np.float32(gradient)
        square = gradient * gradient
        numbers[GRADIENT, s] = gradient
        mean_square = square * numbers[VECTOR_SQUARE, s] / n_factors
        numbers[UP, s] = row_rate(optimiser, learning_rate, sums, steps[POSITIVE, s], mean_square)
        numbers[DOWN, s] = row_rate(optimiser, learning_rate, sums, negative, mean_square)
        numbers[GRADIENT_SQUARE, steps[SLOT, s]] += square * numbers[GAP_SQUARE, s]
        numbers[N_GRADIENTS, steps[SLOT, s]] += 1


@kernel(inline=True)
def move_labels(labels, vectors, slot, positive, negative, gradient, up, down, l2):
    """Update the two labels of a step against the gradient, and add to the gradient of the image's vector."""
    for f in range(vectors.shape[1]):
        p = labels[positive, f]
        n = labels[negative, f]
        in_positive = gradient * vectors[slot, f]
        vectors[slot + BLOCK, f] += gradient * (p - n)
        labels[positive, f] = p - up * (in_positive + l2 * p)
        labels[negative, f] = n - down * (l2 * n - in_positive)
