"""CBOW: the words of a window together foretell the word in its middle (Mikolov et al., NIPS 2013)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import numpy as np

from vsenumba.training.optimisers import row_rate
from vsenumba.training.text.architecture import Architecture, gather_window, scatter_window


class CbowState(NamedTuple):
    """CBOW needs nothing; a named tuple must have a field."""

    power: float


class Cbow(Architecture):
    """The vector is the mean of the other words' vectors, the only positive is the centre.

    Every word of the window gets its share of the gradient, which is divided by their number, as the mean is. The
    original code adds it undivided (Irsoy, Benton & Stratos 2021, "Corrected CBOW performs as well as skip-gram").
    """

    name: ClassVar[str] = "cbow"
    # A window is one pair: a block's draws cost as much as twice as many of its own, and on two threads bring nothing.
    draws_per: ClassVar[str] = "window"
    draws_per_negative: ClassVar[Mapping[str, int]] = {"pair": 1, "window": 2, "block": 4}
    learning_rate: ClassVar[float] = 0.15

    def state(self) -> CbowState:
        """Return the state; see `Architecture.state`."""
        return CbowState(0.0)

    def most_positives(self, window: int) -> int:
        """Return 1; see `Architecture.most_positives`."""
        return 1


@gather_window.implement(CbowState)
def _gather_window(architecture, inputs, words, at, first, last, vector, positives):
    n_factors = vector.shape[0]
    vector[:] = 0
    for i in range(first, last):
        # Taken out of the loop: for the compiler what is written could be the words.
        word = words[i]
        if i != at:
            for f in range(n_factors):
                vector[f] += inputs[word, f]
    share = np.float32(1) / np.float32(last - first - 1)
    for f in range(n_factors):
        vector[f] *= share
    positives[0] = words[at]
    return 1


@scatter_window.implement(CbowState)
def _scatter_window(architecture, inputs, sums, optimiser, learning_rate, words, at, first, last, gradient):
    n_factors = gradient.shape[0]
    share = np.float32(1) / np.float32(last - first - 1)
    square = np.float32(0)
    for f in range(n_factors):
        gradient[f] *= share
        square += gradient[f] * gradient[f]
    for i in range(first, last):
        word = words[i]
        if i != at:
            rate = np.float32(row_rate(optimiser, learning_rate, sums, word, square / np.float32(n_factors)))
            for f in range(n_factors):
                inputs[word, f] -= rate * gradient[f]
