"""Optimisers: how far a row of factors moves along its gradient."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from vsenumba.errors import InputError
from vsenumba.kernels.compiler import dispatched
from vsenumba.registry import Family, Member


@dispatched
def row_rate(optimiser, learning_rate, sums, row, mean_square):
    """Return the rate at which a row moves, and note the gradient it is about to see.

    Parameters
    ----------
    optimiser : NamedTuple
        An optimiser's state; its class picks the implementation.
    learning_rate : float32
        The learning rate of this epoch.
    sums : (rows,) float32
        The optimiser's memory, one number per row.
    row : int
        The row.
    mean_square : float32
        The mean of the squared gradient over the row's factors, the L2 term left out.
    """
    raise TypeError(f"no optimiser works from a {type(optimiser).__name__}")


@dataclass(frozen=True, kw_only=True)
class Optimiser(Member, ABC):
    """Base of the optimisers."""

    @abstractmethod
    def state(self) -> Any:
        """Return what `row_rate` needs, a named tuple."""

    @abstractmethod
    def fresh_sums(self, n_rows: int) -> np.ndarray:
        """Return the memory for a new table, (n_rows,) float32."""


class AdagradState(NamedTuple):
    """Row Adagrad needs nothing beside the sums; a named tuple must have a field."""

    power: float


@dataclass(frozen=True, kw_only=True)
class RowAdagrad(Optimiser):
    """Adagrad with one sum per row: ``G += mean(g²)``, then ``w -= η / sqrt(G) (g + l2 w)``.

    One number per row instead of one per factor costs neither memory nor bandwidth, and rows that are seen often
    still slow down (Duchi, Hazan & Singer 2011, over rows).

    Parameters
    ----------
    initial : float
        What G starts from; above 0.
    """

    initial: float = 0.1
    name: ClassVar[str] = "adagrad"

    def __post_init__(self) -> None:
        if not 0 < self.initial < np.inf:
            raise InputError(f"initial must be positive and finite, not {self.initial!r}")

    def state(self) -> AdagradState:
        """Return the state; see `Optimiser.state`."""
        return AdagradState(0.5)

    def fresh_sums(self, n_rows: int) -> np.ndarray:
        """Return `initial` for every row."""
        return np.full(n_rows, self.initial, dtype=np.float32)


@row_rate.implement(AdagradState)
def _adagrad_rate(optimiser, learning_rate, sums, row, mean_square):
    total = sums[row] + mean_square
    sums[row] = total
    return learning_rate / math.sqrt(total)


class SgdState(NamedTuple):
    """Plain SGD needs nothing; a named tuple must have a field."""

    power: float


@dataclass(frozen=True, kw_only=True)
class Sgd(Optimiser):
    """Plain stochastic gradient descent, the paper's: ``w -= η (g + l2 w)``."""

    name: ClassVar[str] = "sgd"

    def state(self) -> SgdState:
        """Return the state; see `Optimiser.state`."""
        return SgdState(0.0)

    def fresh_sums(self, n_rows: int) -> np.ndarray:
        """Return no memory at all: SGD has none."""
        return np.zeros(0, dtype=np.float32)


@row_rate.implement(SgdState)
def _sgd_rate(optimiser, learning_rate, sums, row, mean_square):
    return learning_rate


as_optimiser = Family("optimiser", Optimiser, (RowAdagrad, Sgd))  # type: ignore[type-abstract]  # names the family
OPTIMISERS = as_optimiser.members
