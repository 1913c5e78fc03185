"""The logistic loss, as in BPR (Rendle et al., UAI 2009)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from vsenumba.losses.loss import Loss, value_and_grad


class LogisticState(NamedTuple):
    """The logistic loss needs no state, but a named tuple must have a field."""

    margin: float


@dataclass(frozen=True, kw_only=True)
class LogisticLoss(Loss):
    """Minimise the logistic loss, ``ln(1 + exp(-d))``, where d is the score of the positive minus that of the negative.

    The gradient is ``-1 / (1 + exp(d))``.

    References
    ----------
    Rendle et al., "BPR: Bayesian Personalized Ranking from Implicit Feedback", UAI 2009.

    Examples
    --------
    >>> from vsenumba import LogisticLoss
    >>> LogisticLoss().value_and_grad([0.0])[1]
    array([-0.5])
    """

    name: ClassVar[str] = "logistic"

    def state(self, n_labels: int) -> LogisticState:
        """Return the state; see `Loss.state`."""
        return LogisticState(0.0)


@value_and_grad.implement(LogisticState)
def _value_and_grad(loss, difference, trials):
    # The exponential of a negative number cannot overflow.
    small = math.exp(-abs(difference))
    value = math.log1p(small)
    if difference > 0:
        return value, -small / (1.0 + small)
    return value - difference, -1.0 / (1.0 + small)
