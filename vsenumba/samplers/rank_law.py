"""The law of ranks that the rank sampler and the adaptive sampler share: a truncated geometric distribution."""

from __future__ import annotations

import math

import numpy as np

from vsenumba.errors import InputError
from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.random import next_uniform


def check_lam(lam: float) -> None:
    """Refuse a λ that is not a positive, finite number."""
    if not (isinstance(lam, (int, float, np.number)) and 0 < lam < np.inf):
        raise InputError(f"lam must be a positive, finite fraction of the number of labels, not {lam!r}")


def rank_law(lam: float, n_labels: int) -> np.ndarray:
    """Return ``p(r) ∝ exp(-r / (lam L))`` for the ranks r = 0..L-1, (L,) float64, summing to 1.

    Examples
    --------
    >>> rank_law(0.5, 4).round(4)
    array([0.4551, 0.276 , 0.1674, 0.1015])
    """
    mass = np.exp(-np.arange(n_labels) / (lam * n_labels))
    return mass / mass.sum()


@kernel(inline=True)
def draw_rank(states, shard, scale, mass, n_labels):
    """Draw a rank by inversion.

    The floor of an exponential variable of mean `scale` that is cut off at L is the truncated geometric law above.

    Parameters
    ----------
    states, shard
        Random states, and whose turn it is.
    scale : float
        λ times the number of labels.
    mass : float
        ``1 - exp(-1 / λ)``, the exponential's probability of lying below L.
    n_labels : int
        L.
    """
    rank = np.int64(-scale * math.log(1.0 - next_uniform(states, shard) * mass))
    # Rounding can reach L itself.
    return min(rank, np.int64(n_labels - 1))
