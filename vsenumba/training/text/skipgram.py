"""Skip-gram: the word in the middle of a window predicts each other word (Mikolov et al., NIPS 2013)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import numpy as np

from vsenumba.training.optimisers import row_rate
from vsenumba.training.text.architecture import Architecture, gather_window, scatter_window


class SkipGramState(NamedTuple):
    """The state of skip-gram. It needs nothing, but a named tuple needs a field."""

    power: float


class SkipGram(Architecture):
    """The vector of a window is that of its centre, and the positives are the other words."""

    name: ClassVar[str] = "skipgram"
    draws_per: ClassVar[str] = "block"
    draws_per_negative: ClassVar[Mapping[str, int]] = {"pair": 1, "window": 3, "block": 6}
    learning_rate: ClassVar[float] = 0.05

    def state(self) -> SkipGramState:
        """Return the state; see `Architecture.state`."""
        return SkipGramState(0.0)

    def most_positives(self, window: int) -> int:
        """Return twice the window; see `Architecture.most_positives`."""
        return 2 * window


@gather_window.implement(SkipGramState)
def _gather_window(architecture, inputs, words, at, first, last, vector, positives):
    centre = words[at]
    for f in range(vector.shape[0]):
        vector[f] = inputs[centre, f]
    for i in range(first, at):
        positives[i - first] = words[i]
    for i in range(at + 1, last):
        positives[i - first - 1] = words[i]
    return last - first - 1


@scatter_window.implement(SkipGramState)
def _scatter_window(architecture, inputs, sums, optimiser, learning_rate, words, at, first, last, gradient):
    n_factors = gradient.shape[0]
    centre = words[at]
    square = np.float32(0)
    for f in range(n_factors):
        square += gradient[f] * gradient[f]
    rate = np.float32(row_rate(optimiser, learning_rate, sums, centre, square / np.float32(n_factors)))
    for f in range(n_factors):
        inputs[centre, f] -= rate * gradient[f]
