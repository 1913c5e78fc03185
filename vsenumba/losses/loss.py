"""What every pairwise loss offers: its value and its slope at a difference of scores.

To add a loss, write one file with a frozen dataclass of parameters, a state (a named tuple) and the implementation
of `value_and_slope` for it, and name it in ``losses/__init__.py``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from vsenumba.kernels.compiler import dispatched, kernel


@dispatched
def value_and_slope(loss, difference, trials):
    """Return a loss and its derivative at ``difference = s_p - s_n``.

    Parameters
    ----------
    loss : NamedTuple
        A loss's state; its class picks the implementation.
    difference : float
        The positive's score less the negative's.
    trials : int
        How many labels the sampler tried before it found the negative, from 1.

    Returns
    -------
    value, slope : float, float
        The loss, >= 0, and its derivative in `difference`, <= 0.
    """
    raise TypeError(f"no loss is computed from a {type(loss).__name__}")


@dataclass(frozen=True, kw_only=True)
class Loss(ABC):
    """Base of the pairwise losses."""

    name: ClassVar[str]

    @abstractmethod
    def state(self, n_labels: int) -> Any:
        """Return what `value_and_slope` needs, a named tuple."""

    def value_and_slope(
        self, differences: np.ndarray, n_labels: int = 2, trials: int = 1
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return values and slopes, float64, at an array of differences, by the compiled code that training runs.

        Examples
        --------
        >>> from vsenumba.losses import HingeLoss
        >>> HingeLoss().value_and_slope([0.25, 2.0])
        (array([0.75, 0.  ]), array([-1.,  0.]))
        """
        differences = np.asarray(differences, dtype=np.float64)
        values, slopes = np.zeros((2, differences.size))
        _evaluate(self.state(n_labels), differences.ravel(), trials, values, slopes)
        return values.reshape(differences.shape), slopes.reshape(differences.shape)


@kernel
def _evaluate(loss, differences, trials, values, slopes):
    for i in range(differences.shape[0]):
        values[i], slopes[i] = value_and_slope(loss, differences[i], trials)
