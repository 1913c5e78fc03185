"""The steps of a block: a negative for every pair, how far apart the two score, and how far both move."""

from __future__ import annotations

import numpy as np

from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.dot import compare
from vsenumba.losses import value_and_slope
from vsenumba.samplers import draw
from vsenumba.training.inputs.inputs import BLOCK, PULL_SQUARE, PULLS
from vsenumba.training.optimisers import row_rate

# Columns of the tally.
STEPS, SKIPPED, LOSS, VIOLATIONS, TRIALS = range(5)

# Rows of `steps`: the row of the image's vector, -1 where there is none; the two labels, the negative -1 where none was
# found; how many labels were tried; and where the image's own labels stand.
VECTOR, POSITIVE, NEGATIVE, TRIED, BEGIN, END = range(6)
STEP_ROWS = 6

# Further rows of `numbers`, beside those of the inputs: the difference of scores, then the slope; the squared lengths
# of the vector and of the gap between the labels; the rates of the two labels.
SLOPE, VECTOR_SQUARE, GAP_SQUARE, UP, DOWN = range(2, 7)
NUMBER_ROWS = 7


@kernel(inline=True)
def train_steps(
    n_steps, indices, labels, sums, sampler, loss, optimiser, learning_rate, l2, n_negatives, states, shard, vectors,
    steps, numbers, tally,
):  # fmt: skip
    """Train on a block's steps, with one negative each, then with the next.

    Loop after loop: within each no step waits for another, and the processor works on several at once.
    """
    numbers[PULL_SQUARE] = 0
    numbers[PULLS] = 0
    for _ in range(n_negatives):
        for s in range(n_steps):
            negative, trials = np.int64(-1), 0
            if steps[VECTOR, s] >= 0:
                negative, trials = draw(
                    sampler, states, shard, vectors[steps[VECTOR, s]], labels, indices, steps[BEGIN, s], steps[END, s],
                    steps[POSITIVE, s],
                )  # fmt: skip
            steps[NEGATIVE, s] = negative
            steps[TRIED, s] = trials
        for s in range(n_steps):
            if steps[NEGATIVE, s] >= 0:
                numbers[SLOPE, s], numbers[VECTOR_SQUARE, s], numbers[GAP_SQUARE, s] = compare(
                    vectors, steps[VECTOR, s], labels, steps[POSITIVE, s], steps[NEGATIVE, s]
                )
        weigh_steps(n_steps, sums, loss, optimiser, learning_rate, np.float32(vectors.shape[1]), steps, numbers, tally)
        for s in range(n_steps):
            if steps[NEGATIVE, s] >= 0:
                move_labels(
                    labels, vectors, steps[VECTOR, s], steps[POSITIVE, s], steps[NEGATIVE, s], numbers[SLOPE, s],
                    numbers[UP, s], numbers[DOWN, s], l2,
                )  # fmt: skip


@kernel(inline=True)
def weigh_steps(n_steps, sums, loss, optimiser, learning_rate, n_factors, steps, numbers, tally):
    """Turn differences of scores into slopes and rates, and count."""
    for s in range(n_steps):
        tally[TRIALS] += steps[TRIED, s]
        negative = steps[NEGATIVE, s]
        if negative < 0:
            tally[SKIPPED] += 1
            continue
        difference = numbers[SLOPE, s]
        value, slope = value_and_slope(loss, difference, steps[TRIED, s])
        tally[STEPS] += 1
        tally[LOSS] += value
        tally[VIOLATIONS] += difference <= 0
        slope = np.float32(slope)
        square = slope * slope
        numbers[SLOPE, s] = slope
        mean_square = square * numbers[VECTOR_SQUARE, s] / n_factors
        numbers[UP, s] = row_rate(optimiser, learning_rate, sums, steps[POSITIVE, s], mean_square)
        numbers[DOWN, s] = row_rate(optimiser, learning_rate, sums, negative, mean_square)
        numbers[PULL_SQUARE, steps[VECTOR, s]] += square * numbers[GAP_SQUARE, s]
        numbers[PULLS, steps[VECTOR, s]] += 1


@kernel(inline=True)
def move_labels(labels, vectors, vector, positive, negative, slope, up, down, l2):
    """Move the two labels of a step against the gradient; add the gradient in the image's vector to its row."""
    for f in range(vectors.shape[1]):
        p = labels[positive, f]
        n = labels[negative, f]
        pull = slope * vectors[vector, f]
        vectors[vector + BLOCK, f] += slope * (p - n)
        labels[positive, f] = p - up * (pull + l2 * p)
        labels[negative, f] = n - down * (l2 * n - pull)
