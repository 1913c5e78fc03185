"""A training step with one vector, its positives and its negatives: scores, losses and updates."""

from __future__ import annotations

import math

import numpy as np

from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.dot import dot, four_dots
from vsenumba.kernels.logistic import logistic
from vsenumba.training.optimisers import row_rate
from vsenumba.training.text.tally import GRADIENT, LOSS, NEGATIVES, STEPS

# The number of scores that are turned into gradients at a time, as many as fit into a vector register.
LANES = 8


@kernel(inline=True)
def weigh_words(vector, outputs, chosen, n_negatives, n_chosen, weight, grads, losses):
    """Write the gradients of the chosen words' losses with respect to their scores, and the losses.

    The first `n_negatives` of the chosen words are negatives, the others are positives. Negatives that were drawn for
    several windows may be positives of this one. Their gradients and losses are 0.
    """
    whole = n_chosen - n_chosen % 4
    for j in range(0, whole, 4):
        grads[j], grads[j + 1], grads[j + 2], grads[j + 3] = four_dots(
            vector, outputs, chosen[j], chosen[j + 1], chosen[j + 2], chosen[j + 3]
        )
    for j in range(whole, n_chosen):
        grads[j] = dot(vector, outputs, chosen[j])
    # The loss of a positive is that of a negative with the opposite score.
    for j in range(n_negatives, n_chosen):
        grads[j] = -grads[j]
    # Work on whole registers, because a few remaining words, one by one, would take longer than all others.
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
    """Update the output vectors of the chosen words against the gradient; write the gradient of the window's vector.

    The words are updated in groups of four, because reading the vector and its gradient for each word takes longer. If
    the words of a group are not all different, they are updated one by one, because an update would be lost.
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
    """Return the step of a word's output vector, as a multiple of the window's vector."""
    return np.float32(row_rate(optimiser, learning_rate, sums, word, grad * grad * mean)) * grad


@kernel(inline=True)
def all_differ(a, b, c, d):
    """Return whether four numbers are all different."""
    return (a != b) & (a != c) & (a != d) & (b != c) & (b != d) & (c != d)


@kernel(inline=True)
def move_four(
    vector, outputs, gradient, a, b, c, d, grad_a, grad_b, grad_c, grad_d, step_a, step_b, step_c, step_d
):  # fmt: skip
    """Update four different rows of the outputs, and add to the gradient of the vector."""
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
    """Train the output vectors of the chosen words, negatives first, and write the gradient of the window's vector.

    Each negative has the weight `weight`.
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
