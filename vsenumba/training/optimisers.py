"""Optimisers: the learning rate of each row of a table."""

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
    """Return the learning rate of a row, and update the optimiser's sum for the row.

    Parameters
    ----------
    optimiser : NamedTuple
        The state of an optimiser; its class selects the implementation.
    learning_rate : float32
        The learning rate of this epoch.
    sums : (rows,) float32
        The optimiser's sums, one number per row.
    row : int
        The row.
    mean_square : float32
        The mean of the squared gradient over the row's factors, without the L2 term.
    """
    raise TypeError(f"no optimiser uses the state {type(optimiser).__name__}")


@dataclass(frozen=True, kw_only=True)
class Optimiser(Member, ABC):
    """Base class of optimisers."""

    @abstractmethod
    def state(self) -> Any:
        """Return the optimiser's state, a named tuple for `row_rate`."""

    @abstractmethod
    def fresh_sums(self, n_rows: int) -> np.ndarray:
        """Return the optimiser's sums for a new table of `n_rows` rows, (n_rows,) or (0,) float32."""


class AdagradState(NamedTuple):
    """The state of `RowAdagrad`. It needs only the sums, but a named tuple needs a field."""

    power: float


@dataclass(frozen=True, kw_only=True)
class RowAdagrad(Optimiser):
    """Adagrad with one sum per row.

    A step with learning rate η and gradient g updates a row w and its sum G by
    ``G += mean(g²)``, then ``w -= η / sqrt(G) (g + l2 w)``.

    Adagrad usually keeps one sum per factor. One sum per row needs much less memory and bandwidth, and rows that are
    updated often still slow down.

    Parameters
    ----------
    initial : float
        The initial value of G, above 0.

    Raises
    ------
    InputError
        If `initial` is not positive and finite.

    References
    ----------
    Duchi, J., Hazan, E. and Singer, Y. (2011). Adaptive subgradient methods for online learning and stochastic
    optimization. Journal of Machine Learning Research 12, 2121-2159.

    Examples
    --------
    >>> import vsenumba as vse
    >>> vse.ImageAnnotator(optimiser=vse.RowAdagrad(initial=0.5)).optimiser.initial
    0.5
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
        """Return the sums of a new table, which are all `initial`; see `Optimiser.fresh_sums`."""
        return np.full(n_rows, self.initial, dtype=np.float32)


@row_rate.implement(AdagradState)
def _adagrad_rate(optimiser, learning_rate, sums, row, mean_square):
    total = sums[row] + mean_square
    sums[row] = total
    return learning_rate / math.sqrt(total)


class SgdState(NamedTuple):
    """The state of `Sgd`. It needs nothing, but a named tuple needs a field."""

    power: float


@dataclass(frozen=True, kw_only=True)
class Sgd(Optimiser):
    """Stochastic gradient descent: ``w -= η (g + l2 w)``.

    A step with learning rate η and gradient g updates a row w by this formula. VSE-ens uses this optimiser.

    References
    ----------
    Guo, G., Zhai, S., Yuan, F., Liu, Y. and Wang, X. (2018). VSE-ens: Visual-semantic embeddings with efficient
    negative sampling. AAAI.

    Examples
    --------
    >>> import vsenumba as vse
    >>> vse.ImageAnnotator(optimiser=vse.Sgd()).optimiser
    Sgd()
    """

    name: ClassVar[str] = "sgd"

    def state(self) -> SgdState:
        """Return the state; see `Optimiser.state`."""
        return SgdState(0.0)

    def fresh_sums(self, n_rows: int) -> np.ndarray:
        """Return an empty array, because SGD keeps no sums."""
        return np.zeros(0, dtype=np.float32)


@row_rate.implement(SgdState)
def _sgd_rate(optimiser, learning_rate, sums, row, mean_square):
    return learning_rate


as_optimiser = Family("optimiser", Optimiser, (RowAdagrad, Sgd))  # type: ignore[type-abstract]  # names the family
OPTIMISERS = as_optimiser.members
