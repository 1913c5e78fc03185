"""The laws of ranks that the rank sampler and the adaptive sampler share: truncated geometric distributions."""

from __future__ import annotations

import math

import numpy as np

from vsenumba.checks import is_number
from vsenumba.errors import InputError
from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.random import next_below, next_uniform

#: The paper's law of ranks, and what dividing integers makes of it, as in its authors' code (see `rank_law`).
RANK_LAWS = ("geometric", "staircase")


def check_lam(lam: float) -> None:
    """Refuse a λ that is not a positive, finite number."""
    if not (is_number(lam) and 0 < lam < np.inf):
        raise InputError(f"lam must be a positive, finite fraction of the number of labels, not {lam!r}")


def rank_law(lam: float, n_labels: int, kind: str = "geometric") -> np.ndarray:
    """Return the probabilities of the ranks 0..L-1, (L,) float64, summing to 1.

    Parameters
    ----------
    lam : float
        λ as a fraction of the number of labels.
    n_labels : int
        L.
    kind : {"geometric", "staircase"}
        ``p(r) ∝ exp(-r / (lam L))``, or the staircase ``p(r) ∝ exp(-floor(r / s))`` with steps of
        ``s = max(1, floor(lam L))`` ranks, which is what dividing integers makes of it.

    Notes
    -----
    The code of the authors has ``p(r) ∝ exp(-floor((r + 1) / s))`` with ``s = floor(lam (L - 1))`` for the ranks
    1 to L - 2, and 0 for the first rank and the last; where s is 0, it divides by zero. So its first step is two ranks
    shorter, and the labels at both ends of a factor are never drawn. That is taken for a slip and not repeated.

    Examples
    --------
    >>> rank_law(0.5, 4).round(4)
    array([0.4551, 0.276 , 0.1674, 0.1015])
    >>> rank_law(0.5, 4, "staircase").round(4)
    array([0.3655, 0.3655, 0.1345, 0.1345])
    """
    step, scale, _ = rank_steps(kind, lam, n_labels)
    mass = np.exp(-(np.arange(n_labels) // step) / scale)
    return mass / mass.sum()


def rank_steps(kind: str, lam: float, n_labels: int) -> tuple[int, float, float]:
    """Return what `draw_rank` needs: the ranks a step has, the scale in steps, and the mass below the last step's end.

    A geometric law is a staircase with one rank a step.
    """
    # Beyond these the law is that of the limit, uniform or the best label alone, to eight digits; and logarithms and
    # divisions would lose all of theirs.
    lam = min(max(float(lam), 1e-300), 1e8)
    step = max(1, int(lam * n_labels)) if kind == "staircase" else 1
    step = min(step, n_labels)
    scale = 1.0 if kind == "staircase" else lam * n_labels
    return step, scale, float(-np.expm1(-math.ceil(n_labels / step) / scale))


@kernel(inline=True)
def draw_rank(states, shard, step, scale, mass, n_labels):
    """Draw a rank by inversion.

    The floor of an exponential variable of mean `scale` that is cut off at L is the truncated geometric law above.

    Parameters
    ----------
    states, shard
        Random states, and whose turn it is.
    step : int
        How many ranks are equally likely; 1 for the geometric law.
    scale : float
        The mean of the exponential variable, in steps.
    mass : float
        The exponential's probability of lying below the end of the last step.
    n_labels : int
        L.
    """
    rank = n_labels
    while rank >= n_labels:
        rank = np.int64(-scale * math.log(1.0 - next_uniform(states, shard) * mass))
        if step > 1:
            # The last step may be cut short: what lies beyond it is drawn again.
            rank = rank * step + next_below(states, shard, step)
    return rank
