"""A step on positives and negatives with one vector: scores, losses, and how far all of them move."""

from __future__ import annotations

import math

import numpy as np

from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.dot import dot, four_dots
from vsenumba.kernels.logistic import logistic
from vsenumba.training.optimisers import row_rate
from vsenumba.training.text.tally import GRADIENT, LOSS, NEGATIVES, STEPS

# Scores that are turned into grads together: what a vector register holds.
LANES = 8


@kernel(inline=True)
def weigh_words(vector, outputs, chosen, n_negatives, n_chosen, weight, grads, losses):
    """Write the grads of the chosen words' losses in their scores, and the losses.

    Those of draws that are positives are 0.

    The first `n_negatives` of the chosen words are negatives, the others positives. Negatives that were drawn for
    several windows may be positives of this one.
    """
    whole = n_chosen - n_chosen % 4
    for j in range(0, whole, 4):
        grads[j], grads[j + 1], grads[j + 2], grads[j + 3] = four_dots(
            vector, outputs, chosen[j], chosen[j + 1], chosen[j + 2], chosen[j + 3]
        )
    for j in range(whole, n_chosen):
        grads[j] = dot(vector, outputs, chosen[j])
    # A positive's loss is that of a negative with the score turned round.
    for j in range(n_negatives, n_chosen):
        grads[j] = -grads[j]
    # In whole vectors: a few left over, one by one, would take longer than all.
    for j in range((n_chosen + LANES - 1) // LANES * LANES):
        grads[j], losses[j] = logistic(grads[j])
    for j in range(n_negatives):
        grads[j] *= weight
        losses[j] *= weight
    for i in range(n_negatives, n_chosen):
        grads[i] = -grads[i]
        positive = chosen[i]
        for j in range(n_negatives):
            other = np.float32(chosen[j] != positive)
            grads[j] *= other
            losses[j] *= other


@kernel(inline=True)
def move_words(vector, outputs, sums, optimiser, learning_rate, chosen, n_chosen, grads, length, gradient):
    """Move the chosen words' output vectors against the gradient; write the gradient in the vector.

    By four, for each of which the vector and its gradient would otherwise be fetched; of four that are not four
    different rows, one move would be lost.
    """
    mean = length / np.float32(vector.shape[0])
    gradient[:] = 0
    j = 0
    while j < n_chosen:
        a = chosen[j]
        step_a = step_of(optimiser, learning_rate, sums, a, grads[j], mean)
        if j + 4 <= n_chosen and all_differ(a, chosen[j + 1], chosen[j + 2], chosen[j + 3]):
            b, c, d = chosen[j + 1], chosen[j + 2], chosen[j + 3]
            move_four(
                vector, outputs, gradient, a, b, c, d, grads[j], grads[j + 1], grads[j + 2], grads[j + 3], step_a,
                step_of(optimiser, learning_rate, sums, b, grads[j + 1], mean),
                step_of(optimiser, learning_rate, sums, c, grads[j + 2], mean),
                step_of(optimiser, learning_rate, sums, d, grads[j + 3], mean),
            )  # fmt: skip
            j += 4
        else:
            grad = grads[j]
            for f in range(vector.shape[0]):
                output = outputs[a, f]
                gradient[f] += grad * output
                outputs[a, f] = output - step_a * vector[f]
            j += 1


@kernel(inline=True)
def step_of(optimiser, learning_rate, sums, word, grad, mean):
    """Return by how much of the vector a word's output vector moves."""
    return np.float32(row_rate(optimiser, learning_rate, sums, word, grad * grad * mean)) * grad


@kernel(inline=True)
def all_differ(a, b, c, d):
    """Return whether four numbers are four different ones."""
    return (a != b) & (a != c) & (a != d) & (b != c) & (b != d) & (c != d)


@kernel(inline=True)
def move_four(
    vector, outputs, gradient, a, b, c, d, grad_a, grad_b, grad_c, grad_d, step_a, step_b, step_c, step_d
):  # fmt: skip
    """Move four different rows of the outputs, and add what they have in the gradient."""
    for f in range(vector.shape[0]):
        x = vector[f]
        at_a, at_b, at_c, at_d = outputs[a, f], outputs[b, f], outputs[c, f], outputs[d, f]
        gradient[f] += (grad_a * at_a + grad_b * at_b) + (grad_c * at_c + grad_d * at_d)
        outputs[a, f] = at_a - step_a * x
        outputs[b, f] = at_b - step_b * x
        outputs[c, f] = at_c - step_c * x
        outputs[d, f] = at_d - step_d * x


@kernel(inline=True)
def train_words(
    vector, gradient, outputs, sums, optimiser, learning_rate, chosen, n_negatives, n_chosen, weight, grads, losses,
    tally,
):  # fmt: skip
    """Train the output vectors of the chosen words, negatives first; leave the gradient in the vector.

    Each negative counts `weight` times.
    """
    weigh_words(vector, outputs, chosen, n_negatives, n_chosen, weight, grads, losses)
    length = np.float32(0)
    for f in range(vector.shape[0]):
        length += vector[f] * vector[f]
    move_words(vector, outputs, sums, optimiser, learning_rate, chosen, n_chosen, grads, length, gradient)
    loss, total, n_counted = np.float32(0), np.float32(0), 0
    for j in range(n_chosen):
        loss += losses[j]
    for j in range(n_negatives):
        total += grads[j]
        n_counted += grads[j] > 0
    tally[STEPS] += n_chosen - n_negatives
    tally[LOSS] += loss
    tally[NEGATIVES] += n_counted
    tally[GRADIENT] += total / weight * math.sqrt(length)
