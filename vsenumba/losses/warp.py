"""The WARP loss: the hinge loss, weighted by the positive's estimated rank (WSABIE; Weston, Bengio & Usunier 2011)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from vsenumba.losses.hinge import check_margin
from vsenumba.losses.loss import Loss, value_and_grad


class WarpLossState(NamedTuple):
    """The margin, and the weight of every rank: ``weights[r]`` for r = 0 to L - 1."""

    margin: float
    weights: np.ndarray


@dataclass(frozen=True, kw_only=True)
class WarpLoss(Loss):
    """Minimise the weighted hinge loss ``w(r) max(0, margin - d)``, where r is the estimated rank of the positive.

    d is the score of the positive minus that of the negative. The rank is estimated from the sampler's trials as
    ``r = floor((L - 1) / trials)``, for L labels. WSABIE's weight is ``Φ(r) = Σ_{j=1..r} 1/j``. Here it is divided by
    its largest value, ``w(r) = Φ(r) / Φ(L - 1)``, so that learning rates mean the same as with the hinge loss.

    The estimate is meaningful only with the WARP sampler, whose trials are a search. With a sampler that makes one
    trial, the weight is 1, and the loss is the hinge loss.

    Parameters
    ----------
    margin : float, default 1.0
        Margin in units of score, above 0.

    References
    ----------
    Weston, Bengio & Usunier, "WSABIE: Scaling Up to Large Vocabulary Image Annotation", IJCAI 2011.

    Examples
    --------
    >>> from vsenumba import WarpLoss
    >>> WarpLoss().value_and_grad([0.5], n_labels=11, trials=10)[1].round(3)
    array([-0.341])
    """

    margin: float = 1.0
    name: ClassVar[str] = "warp"

    def __post_init__(self) -> None:
        check_margin(self.margin)

    def state(self, n_labels: int) -> WarpLossState:
        """Return the state; see `Loss.state`."""
        harmonic = np.concatenate(([0.0], np.cumsum(1.0 / np.arange(1, max(n_labels, 2)))))
        return WarpLossState(float(self.margin), harmonic / harmonic[-1])


@value_and_grad.implement(WarpLossState)
def _value_and_grad(loss, difference, trials):
    # With more trials than labels, the estimate would be 0. But a violator was found, so the rank is at least 1.
    rank = max((loss.weights.shape[0] - 1) // trials, 1)
    gap = loss.margin - difference
    if gap > 0:
        return loss.weights[rank] * gap, -loss.weights[rank]
    return abs(0.0 * gap), 0.0
