"""The hinge loss of a difference of scores: the loss of VSE-ens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from vsenumba.errors import InputError
from vsenumba.losses.loss import Loss, value_and_grad


class HingeState(NamedTuple):
    """The margin."""

    margin: float


@dataclass(frozen=True, kw_only=True)
class HingeLoss(Loss):
    """``max(0, margin - d)`` with gradient -1 where ``d < margin`` and 0 elsewhere.

    Parameters
    ----------
    margin : float
        In units of score; 1 in VSE-ens and WSABIE.
    """

    margin: float = 1.0
    name: ClassVar[str] = "hinge"

    def __post_init__(self) -> None:
        check_margin(self.margin)

    def state(self, n_labels: int) -> HingeState:
        """Return the state; see `Loss.state`."""
        return HingeState(float(self.margin))


def check_margin(margin: float) -> None:
    """Refuse a margin that is not a positive, finite number."""
    if not 0 < margin < np.inf:
        raise InputError(f"margin must be positive and finite, not {margin!r}")


@value_and_grad.implement(HingeState)
def _value_and_grad(loss, difference, trials):
    gap = loss.margin - difference
    if gap > 0:
        return gap, -1.0
    # NaN must not pass for a loss of 0.
    return abs(0.0 * gap), 0.0
