"""The logistic loss of a difference of scores, as in BPR (Rendle et al., UAI 2009)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from vsenumba.losses.loss import Loss, value_and_grad


class LogisticState(NamedTuple):
    """The logistic loss needs nothing; a named tuple must have a field."""

    margin: float


@dataclass(frozen=True, kw_only=True)
class LogisticLoss(Loss):
    """``ln(1 + exp(-d))`` with gradient ``-1 / (1 + exp(d))``, d the positive's score less the negative's."""

    name: ClassVar[str] = "logistic"

    def state(self, n_labels: int) -> LogisticState:
        """Return the state; see `Loss.state`."""
        return LogisticState(0.0)


@value_and_grad.implement(LogisticState)
def _value_and_grad(loss, difference, trials):
    # exp of a negative number cannot overflow.
    small = math.exp(-abs(difference))
    value = math.log1p(small)
    if difference > 0:
        return value, -small / (1.0 + small)
    return value - difference, -1.0 / (1.0 + small)
