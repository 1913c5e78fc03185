"""The interface of an architecture: which vector represents a window, and which words the window should predict.

To add an architecture, write a file with a subclass of `Architecture`, a state (a named tuple) and implementations of
the two functions for this state, and name the class in ``training/text/__init__.py``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from vsenumba.kernels.compiler import dispatched
from vsenumba.registry import Member


@dispatched
def gather_window(architecture, inputs, words, at, first, last, vector, positives):
    """Write the vector of a window, and the words that should have high scores with it.

    Parameters
    ----------
    architecture : NamedTuple
        The state of an architecture; its class selects the implementation.
    inputs : (W, k) float32
        The word factors.
    words, at, first, last : (n,) int32, int, int, int
        The window is ``words[first:last]``, with the centre ``words[at]`` and at least one other word.
    vector : (k,) float32
        The vector, written.
    positives : (>= last - first,) int32
        The positives, written from the start.

    Returns
    -------
    int
        The number of positives, at least 1.
    """
    raise TypeError(f"no architecture uses the state {type(architecture).__name__}")


@dispatched
def scatter_window(architecture, inputs, sums, optimiser, learning_rate, words, at, first, last, gradient):
    """Update the word factors with the gradient of the window's vector.

    Parameters
    ----------
    architecture, inputs, words, at, first, last
        As in `gather_window`.
    sums : (W,) or (0,) float32
        The optimiser's sums of the word factors.
    optimiser, learning_rate : NamedTuple, float32
        The state of the optimiser, and the learning rate.
    gradient : (k,) float32
        The gradient of the loss with respect to the vector.
    """
    raise TypeError(f"no architecture uses the state {type(architecture).__name__}")


class Architecture(Member, ABC):
    """Base class of architectures.

    `draws_per` is the default group of pairs that share negatives, for a sampler that draws in the same way for all
    windows. `draws_per_negative` is the default number of draws for each negative, by that group. `learning_rate` is
    the default learning rate.
    """

    draws_per: ClassVar[str]
    draws_per_negative: ClassVar[Mapping[str, int]]
    learning_rate: ClassVar[float]

    @abstractmethod
    def state(self) -> Any:
        """Return the state of the architecture, a named tuple for the two functions."""

    @abstractmethod
    def most_positives(self, window: int) -> int:
        """Return the largest number of positives in a window."""
