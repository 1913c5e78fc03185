"""The hinge loss, the loss of VSE-ens."""

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
    """Minimise the hinge loss, ``max(0, margin - d)``, where d is the score of the positive minus that of the negative.

    The gradient is -1 if ``d < margin``, and 0 otherwise.

    Parameters
    ----------
    margin : float, default 1.0
        Margin in units of score, above 0; 1 in VSE-ens and WSABIE.

    Examples
    --------
    >>> from vsenumba import HingeLoss
    >>> HingeLoss(margin=2.0).value_and_grad([0.5])
    (array([1.5]), array([-1.]))
    """

    margin: float = 1.0
    name: ClassVar[str] = "hinge"

    def __post_init__(self) -> None:
        check_margin(self.margin)

    def state(self, n_labels: int) -> HingeState:
        """Return the state; see `Loss.state`."""
        return HingeState(float(self.margin))


def check_margin(margin: float) -> None:
    """Raise an error for a margin that is not a positive, finite number."""
    if not 0 < margin < np.inf:
        raise InputError(f"margin must be positive and finite, not {margin!r}")


@value_and_grad.implement(HingeState)
def _value_and_grad(loss, difference, trials):
    gap = loss.margin - difference
    if gap > 0:
        return gap, -1.0
    # abs(0 * gap) keeps NaN, which must not look like a loss of 0.
    return abs(0.0 * gap), 0.0
