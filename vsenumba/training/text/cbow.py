"""CBOW: the other words of a window together predict the word in its middle (Mikolov et al., NIPS 2013)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import numpy as np

from vsenumba.training.optimisers import row_rate
from vsenumba.training.text.architecture import Architecture, gather_window, scatter_window


class CbowState(NamedTuple):
    """The state of CBOW. It needs nothing, but a named tuple needs a field."""

    power: float


class Cbow(Architecture):
    """The vector of a window is the mean of the other words' vectors, and the only positive is the centre.

    Every other word gets its share of the gradient: the gradient divided by their number, because the vector is their
    mean. The original code of word2vec does not divide it (Irsoy, Benton & Stratos 2021, "Corrected CBOW performs as
    well as skip-gram").
    """

    name: ClassVar[str] = "cbow"
    # A window has one pair. A draw per block needs twice as many negatives, and is not faster on two threads.
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
        # Read the word outside the inner loop, because the compiler cannot exclude that the loop changes it.
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
