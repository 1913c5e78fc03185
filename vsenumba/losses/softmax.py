"""The softmax loss: a positive against all labels that the image does not have, or against a sample of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from vsenumba.checks import is_whole
from vsenumba.errors import InputError
from vsenumba.losses.logistic import LogisticState
from vsenumba.losses.loss import Loss, value_and_grad

# The same maximum as for `n_negatives` of a model.
_MOST_NEGATIVES = 10_000


class SoftmaxState(NamedTuple):
    """The softmax loss needs no state, but a named tuple must have a field."""

    margin: float


class SampledSoftmaxState(NamedTuple):
    """The sampled softmax loss needs no state either."""

    margin: float


@dataclass(frozen=True, kw_only=True)
class SoftmaxLoss(Loss):
    """Minimise the cross-entropy of the positive, ``-ln(e^p / (e^p + Z))``.

    p is the score of the positive. Z is the sum of ``e^n`` over the scores n of all labels that the image does not
    have. This equals the logistic loss of ``d = p - ln Z``.

    Without `n_negatives`, Z is the exact sum. No negatives are drawn, and every step updates every label, so the cost
    of a step grows with the number of labels.

    With `n_negatives` = m, m labels a_j with the scores s_j are drawn for each image vector, and
    ``Z = 1/m Σ_j e^(s_j) / q(a_j | i)``, where q is the probability that the sampler returns the label. The expected
    value of this Z is the exact sum, for any sampler. A greedy sampler therefore makes Z more exact, and does not
    change the loss. The sampler must know q at each draw: "uniform", "popularity", or "adaptive" with one candidate.

    Parameters
    ----------
    n_negatives : int, optional
        Number of negatives to draw, from 1 to 10,000; None to compare with all labels.

    References
    ----------
    Bengio & Senécal, "Adaptive importance sampling to accelerate training of a neural probabilistic language model",
    IEEE Transactions on Neural Networks 2008.

    Yi et al., "Sampling-bias-corrected neural modeling for large corpus item recommendations", RecSys 2019.

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
        """Whether `n_negatives` is None; see `Loss.takes_all`."""
        return self.n_negatives is None

    @property
    def draws(self) -> int | None:
        """The value of `n_negatives`; see `Loss.draws`."""
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
