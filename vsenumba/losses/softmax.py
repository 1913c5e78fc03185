"""The softmax loss: the positive against all labels that the image does not have, or against a sample of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from vsenumba.checks import is_whole
from vsenumba.errors import InputError
from vsenumba.losses.logistic import LogisticState
from vsenumba.losses.loss import Loss, value_and_grad

# As many as `n_negatives` of a model may be.
_MOST_NEGATIVES = 10_000


class SoftmaxState(NamedTuple):
    """The softmax loss needs nothing; a named tuple must have a field."""

    margin: float


class SampledSoftmaxState(NamedTuple):
    """The softmax loss of drawn negatives needs nothing either."""

    margin: float


@dataclass(frozen=True, kw_only=True)
class SoftmaxLoss(Loss):
    """Cross-entropy: ``-ln(e^p / (e^p + Z))``, p the positive's score, Z the sum of ``e^n`` over what the image lacks.

    This is the logistic loss of ``d = p - ln Z``. Without `n_negatives`, Z is summed over all these labels: no sampler
    draws, and every step moves every label, so that its cost grows with their number.

    With `n_negatives` = m, so many labels are drawn for each vector of an image, and
    ``Z = 1/m Σ_j e^(s_j) / q(a_j | i)``: the scores are lowered by ``ln(m q)``, q being the probability with which the
    sampler returns that label. The mean of this Z over draws is the sum over all labels, whatever the sampler, so that
    a greedy one makes Z more exact rather than another loss. It takes a sampler that knows q at each draw: "uniform",
    "popularity", or "adaptive" with one candidate.

    Parameters
    ----------
    n_negatives : int, optional
        How many negatives are drawn, from 1 to 10,000; None to compare with all labels.

    References
    ----------
    Bengio & Senécal, "Adaptive importance sampling to accelerate training of a neural probabilistic language model",
    IEEE Transactions on Neural Networks 2008; Yi et al., "Sampling-bias-corrected neural modeling for large corpus item
    recommendations", RecSys 2019.

    Examples
    --------
    >>> from vsenumba import ImageAnnotator
    >>> model = ImageAnnotator(loss=SoftmaxLoss(n_negatives=64), sampler="uniform")
    """

    n_negatives: int | None = None
    name: ClassVar[str] = "softmax"

    def __post_init__(self) -> None:
        if self.n_negatives is not None and not (is_whole(self.n_negatives) and self.n_negatives <= _MOST_NEGATIVES):
            raise InputError(
                f"n_negatives must be a whole number from 1 to {_MOST_NEGATIVES:,}, or None for all labels, not "
                f"{self.n_negatives!r}"
            )

    @property
    def takes_all(self) -> bool:
        """Whether no `n_negatives` was given; see `Loss.takes_all`."""
        return self.n_negatives is None

    @property
    def draws(self) -> int | None:
        """Return `n_negatives`; see `Loss.draws`."""
        return None if self.n_negatives is None else int(self.n_negatives)

    def state(self, n_labels: int) -> SoftmaxState | SampledSoftmaxState:
        """Return the state; see `Loss.state`."""
        return SoftmaxState(0.0) if self.takes_all else SampledSoftmaxState(0.0)


@value_and_grad.implement(SoftmaxState)
def _value_and_grad(loss, difference, trials):
    return value_and_grad(LogisticState(0.0), difference, trials)


@value_and_grad.implement(SampledSoftmaxState)
def _sampled_value_and_grad(loss, difference, trials):
    return value_and_grad(LogisticState(0.0), difference, trials)
