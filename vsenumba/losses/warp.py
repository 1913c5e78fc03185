"""The WARP loss: the hinge, weighted by the positive's estimated rank (WSABIE; Weston, Bengio & Usunier 2011)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from vsenumba.losses.hinge import check_margin
from vsenumba.losses.loss import Loss, value_and_grad


class WarpLossState(NamedTuple):
    """The margin, and the weight of every rank: ``weights[r]`` for r = 0..L-1."""

    margin: float
    weights: np.ndarray


@dataclass(frozen=True, kw_only=True)
class WarpLoss(Loss):
    """``w(r) max(0, margin - d)``, r the positive's rank as estimated from the sampler's trials.

    WSABIE's weight is ``Φ(r) = Σ_{j=1..r} 1/j`` with ``r = floor((L - 1) / trials)``; here it is divided by its
    largest value, ``w(r) = Φ(r) / Φ(L - 1)``, so that learning rates mean the same as with the hinge. The estimate
    means something with the WARP sampler only, whose trials are a search; with a sampler that takes one trial the
    weight is 1 and the loss is the hinge.

    Parameters
    ----------
    margin : float
        In units of score.
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
    # More trials than labels would estimate a rank of 0 for a positive that a violator was found for.
    rank = max((loss.weights.shape[0] - 1) // trials, 1)
    gap = loss.margin - difference
    if gap > 0:
        return loss.weights[rank] * gap, -loss.weights[rank]
    return abs(0.0 * gap), 0.0
