"""What makes the two architectures: which vector stands for a window, and which words it should rank first.

To add one, write one file with a class, a state (a named tuple) and the implementations of the two functions, and name
it in ``training/windows/__init__.py``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from vsenumba.kernels.compiler import dispatched
from vsenumba.registry import Member


@dispatched
def gather_window(architecture, inputs, words, at, first, last, vector, positives):
    """Write the vector that stands for a window, and the words that should score high with it.

    Parameters
    ----------
    architecture : NamedTuple
        A state; its class picks the implementation.
    inputs : (W, k) float32
        The word factors.
    words, at, first, last : (n,) int32, int, int, int
        The window is ``words[first:last]``, its centre ``words[at]``; it has at least one other word.
    vector : (k,) float32
        Written.
    positives : (>= last - first,) int32
        Written, from the beginning.

    Returns
    -------
    int
        How many positives were written, at least 1.
    """
    raise TypeError(f"no architecture opens a window from a {type(architecture).__name__}")


@dispatched
def scatter_window(architecture, inputs, sums, optimiser, learning_rate, words, at, first, last, gradient):
    """Move the word factors against the gradient in the vector that stood for a window.

    Parameters
    ----------
    architecture, inputs, words, at, first, last
        As in `gather_window`.
    sums : (W,) or (0,) float32
        The optimiser's sums of the word factors.
    optimiser, learning_rate : NamedTuple, float32
        How to move.
    gradient : (k,) float32
        The loss's gradient in the vector.
    """
    raise TypeError(f"no architecture closes a window from a {type(architecture).__name__}")


class Architecture(Member, ABC):
    """Base of the architectures.

    `draws_per_negative` says how many words are drawn at a time unless told otherwise, by what they are drawn for;
    `draws_per` says for what that is unless told otherwise, with a sampler that draws alike for all windows.
    """

    draws_per: ClassVar[str]
    draws_per_negative: ClassVar[Mapping[str, int]]
    learning_rate: ClassVar[float]

    @abstractmethod
    def state(self) -> Any:
        """Return what the two functions need, a named tuple."""

    @abstractmethod
    def most_positives(self, window: int) -> int:
        """Return how many positives a window can have."""
