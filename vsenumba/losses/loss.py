"""The base of all losses: the value and the gradient at a difference of scores.

To add a loss, write one file with a frozen dataclass of parameters, a state (a named tuple) and the implementation of
`value_and_grad` for it, and name it in ``losses/__init__.py``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from vsenumba.kernels.compiler import dispatched, kernel
from vsenumba.registry import Member


@dispatched
def value_and_grad(loss, difference, trials):
    """Return a loss and its derivative at ``difference = s_p - s_n``.

    Parameters
    ----------
    loss : NamedTuple
        A loss's state; its class selects the implementation.
    difference : float
        Score of the positive minus score of the negative.
    trials : int
        Number of labels that the sampler tried to find the negative, at least 1.

    Returns
    -------
    value, gradient : float, float
        The loss, at least 0, and its derivative with respect to `difference`, at most 0.
    """
    raise TypeError(f"no loss is computed from a {type(loss).__name__}")


@dataclass(frozen=True, kw_only=True)
class Loss(Member, ABC):
    """Base of the losses."""

    @property
    def takes_all(self) -> bool:
        """Whether the negatives are all labels that the image does not have, so that none are drawn."""
        return False

    @property
    def draws(self) -> int | None:
        """Number of negatives that are drawn together and weighted by probability; None if each counts alone."""
        return None

    def n_scores(self, n_labels: int) -> int:
        """Return the number of negative scores to store for each image of a block; see `Work`."""
        return n_labels if self.takes_all else self.draws or 0

    @abstractmethod
    def state(self, n_labels: int) -> Any:
        """Return the state that `value_and_grad` needs, a named tuple."""

    def value_and_grad(
        self, differences: np.ndarray, n_labels: int = 2, trials: int = 1
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return values and gradients with the compiled code that training uses.

        Parameters
        ----------
        differences : array
            Differences of scores, positive minus negative.
        n_labels : int, default 2
            Number of labels; only `WarpLoss` uses it.
        trials : int, default 1
            Number of labels that the sampler tried; only `WarpLoss` uses it.

        Returns
        -------
        values, gradients : float64 arrays
            The loss and its derivative at each difference, in the shape of `differences`.

        Examples
        --------
        >>> from vsenumba.losses import HingeLoss
        >>> HingeLoss().value_and_grad([0.25, 2.0])
        (array([0.75, 0.  ]), array([-1.,  0.]))
        """
        differences = np.asarray(differences, dtype=np.float64)
        values, gradients = np.zeros((2, differences.size))
        _evaluate(self.state(n_labels), differences.ravel(), trials, values, gradients)
        return values.reshape(differences.shape), gradients.reshape(differences.shape)


@kernel
def _evaluate(loss, differences, trials, values, gradients):
    for i in range(differences.shape[0]):
        values[i], gradients[i] = value_and_grad(loss, differences[i], trials)
