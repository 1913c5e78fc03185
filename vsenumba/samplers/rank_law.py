"""The laws of ranks that the rank sampler and the adaptive sampler share: truncated geometric distributions."""

from __future__ import annotations

import math

import numpy as np

from vsenumba.checks import is_number
from vsenumba.errors import InputError
from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.random import next_below, next_uniform

#: The paper's law of ranks, and its variant with integer division, as in the authors' code (see `rank_law`).
RANK_LAWS = ("geometric", "staircase")


def check_lam(lam: float) -> None:
    """Raise an error for a λ that is not a positive, finite number."""
    if not (is_number(lam) and 0 < lam < np.inf):
        raise InputError(f"lam must be a positive, finite fraction of the number of labels, not {lam!r}")


def rank_law(lam: float, n_labels: int, kind: str = "geometric") -> np.ndarray:
    """Return the probabilities of the ranks 0 to L - 1.

    Parameters
    ----------
    lam : float
        λ as a fraction of the number of labels, above 0.
    n_labels : int
        Number of labels, L.
    kind : {"geometric", "staircase"}, default "geometric"
        ``p(r) ∝ exp(-r / (lam L))``, or the staircase ``p(r) ∝ exp(-floor(r / s))`` with steps of
        ``s = max(1, floor(lam L))`` ranks, which is the same formula with integer division.

    Returns
    -------
    (L,) float64 array
        The probabilities, which sum to 1.

    Notes
    -----
    The authors' code has ``p(r) ∝ exp(-floor((r + 1) / s))`` with ``s = floor(lam (L - 1))`` for the ranks 1 to L - 2,
    and 0 for the first and the last rank. If s is 0, it divides by zero. Its first step is therefore two ranks shorter,
    and it never draws the labels at both ends of a factor. We consider this a mistake and do not repeat it.

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
    """Return the numbers that `draw_rank` needs.

    They are the ranks per step, the scale in steps, and the probability mass up to the end of the last step. A
    geometric law is a staircase with one rank per step.
    """
    # Beyond these values, the law equals its limit to eight digits: uniform, or the best label alone. Logarithms and
    # divisions would lose all precision there.
    lam = min(max(float(lam), 1e-300), 1e8)
    step = max(1, int(lam * n_labels)) if kind == "staircase" else 1
    step = min(step, n_labels)
    scale = 1.0 if kind == "staircase" else lam * n_labels
    return step, scale, float(-np.expm1(-math.ceil(n_labels / step) / scale))


@kernel(inline=True)
def draw_rank(states, shard, step, scale, mass, n_labels):
    """Draw a rank by inversion.

    The truncated geometric law is the floor of an exponential variable with mean `scale` that is cut off at L.

    Parameters
    ----------
    states, shard
        Random states, and the index of the one to use.
    step : int
        Number of ranks that are equally likely; 1 for the geometric law.
    scale : float
        Mean of the exponential variable, in steps.
    mass : float
        Probability that the exponential variable is below the end of the last step.
    n_labels : int
        Number of labels, L.
    """
    rank = n_labels
    while rank >= n_labels:
        rank = np.int64(-scale * math.log(1.0 - next_uniform(states, shard) * mass))
        if step > 1:
            # The last step may be incomplete. Draw again if the rank lies beyond it.
            rank = rank * step + next_below(states, shard, step)
    return rank
