"""The softmax loss: the positive against all labels that the image does not have, at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from vsenumba.losses.logistic import LogisticState
from vsenumba.losses.loss import Loss, value_and_grad


class SoftmaxState(NamedTuple):
    """The softmax loss needs nothing; a named tuple must have a field."""

    margin: float


@dataclass(frozen=True, kw_only=True)
class SoftmaxLoss(Loss):
    """Cross-entropy: ``-ln(e^p / (e^p + Σ_n e^n))``, p the positive's score, n those of all labels the image lacks.

    This is the logistic loss of ``d = p - ln Σ_n e^n``. No sampler draws: every step moves every label, so that its
    cost grows with their number.
    """

    name: ClassVar[str] = "softmax"
    takes_all: ClassVar[bool] = True

    def state(self, n_labels: int) -> SoftmaxState:
        """Return the state; see `Loss.state`."""
        return SoftmaxState(0.0)


@value_and_grad.implement(SoftmaxState)
def _value_and_grad(loss, difference, trials):
    return value_and_grad(LogisticState(0.0), difference, trials)
