"""A window's step: negatives for its positives, scores, and how far all of them move."""

from __future__ import annotations

import math

import numpy as np

from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.dot import dot
from vsenumba.kernels.logistic import logistic
from vsenumba.kernels.prefetch import prefetch_row
from vsenumba.samplers import aim, draw
from vsenumba.training.optimisers import row_rate

# Scores that are turned into grads together: what a vector register holds.
LANES = 8

# Columns of the tally.
STEPS, SKIPPED, LOSS, DRAWS, TRIALS, GRADIENT, KEPT = range(7)


@kernel(inline=True)
def draw_negatives(sampler, states, shard, vector, outputs, own, chosen, n_positives, n_draws, tally):
    """Draw the negatives that the positives ``chosen[:n_positives]`` share; return how many words are chosen then.

    Parameters
    ----------
    own : (>= n_positives,) int32
        Scratch: the positives in order, which are never drawn.
    chosen : (n_positives + n_draws,) int32
        The positives; the negatives are written behind them.
    """
    n_own = 0
    for j in range(n_positives):
        word = chosen[j]
        prefetch_row(outputs, word)
        place = n_own
        while place > 0 and own[place - 1] > word:
            place -= 1
        if place == 0 or own[place - 1] != word:
            for i in range(n_own, place, -1):
                own[i] = own[i - 1]
            own[place] = word
            n_own += 1
    n_chosen = n_positives
    aimed = aim(sampler, vector)
    for j in range(n_draws):
        word, trials = draw(aimed, states, shard, vector, outputs, own, 0, n_own, chosen[j % n_positives])
        tally[TRIALS] += trials
        if word >= 0:
            chosen[n_chosen] = word
            prefetch_row(outputs, word)
            n_chosen += 1
    tally[DRAWS] += n_draws
    tally[SKIPPED] += n_positives + n_draws - n_chosen
    return n_chosen


@kernel(inline=True)
def weigh_words(vector, outputs, chosen, n_positives, n_chosen, weight, grads, losses):
    """Write the grads of the chosen words' losses in their scores, and the losses."""
    # A positive's loss is that of a negative with the score turned round.
    for j in range(n_positives):
        grads[j] = -dot(vector, outputs, chosen[j])
    for j in range(n_positives, n_chosen):
        grads[j] = dot(vector, outputs, chosen[j])
    # In whole vectors: a few left over, one by one, would take longer than all.
    for j in range((n_chosen + LANES - 1) // LANES * LANES):
        grads[j], losses[j] = logistic(grads[j])
    for j in range(n_positives):
        grads[j] = -grads[j]
    for j in range(n_positives, n_chosen):
        grads[j] *= weight
        losses[j] *= weight


@kernel(inline=True)
def move_words(vector, outputs, sums, optimiser, learning_rate, chosen, n_chosen, grads, length, gradient):
    """Move the chosen words' output vectors against the gradient; write the gradient in the window's vector."""
    n_factors = vector.shape[0]
    gradient[:] = 0
    for j in range(n_chosen):
        word, grad = chosen[j], grads[j]
        mean_square = grad * grad * length / np.float32(n_factors)
        step = np.float32(row_rate(optimiser, learning_rate, sums, word, mean_square)) * grad
        for f in range(n_factors):
            output = outputs[word, f]
            gradient[f] += grad * output
            outputs[word, f] = output - step * vector[f]


@kernel(inline=True)
def train_window(
    vector, gradient, outputs, sums, sampler, optimiser, learning_rate, states, shard, own, chosen, n_positives,
    n_draws, n_negatives, grads, losses, tally,
):  # fmt: skip
    """Train the output vectors on one window; leave the gradient in the window's vector.

    Each positive has `n_negatives` negatives. All positives of a window share what `n_draws` draws bring: each counts
    as many times as makes up the number.
    """
    n_chosen = draw_negatives(sampler, states, shard, vector, outputs, own, chosen, n_positives, n_draws, tally)
    weight = np.float32(n_negatives * n_positives) / np.float32(n_draws)
    weigh_words(vector, outputs, chosen, n_positives, n_chosen, weight, grads, losses)
    length = np.float32(0)
    for f in range(vector.shape[0]):
        length += vector[f] * vector[f]
    move_words(vector, outputs, sums, optimiser, learning_rate, chosen, n_chosen, grads, length, gradient)
    loss, total = np.float32(0), np.float32(0)
    for j in range(n_chosen):
        loss += losses[j]
    for j in range(n_positives, n_chosen):
        total += grads[j]
    tally[STEPS] += n_positives
    tally[LOSS] += loss
    tally[GRADIENT] += total / weight * math.sqrt(length)
