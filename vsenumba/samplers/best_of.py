"""The best-scoring of several candidates, and its law, which two samplers share."""

from __future__ import annotations

import numpy as np

from vsenumba.checks import is_whole
from vsenumba.errors import InputError
from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.dot import dot

# Every shard keeps its candidates; far fewer are of use.
_MOST_CANDIDATES = 100_000


def check_candidates(n_candidates: object) -> None:
    """Refuse a number of candidates that is neither None nor a whole number from 1 to 100,000."""
    if n_candidates is None:
        return
    if not is_whole(n_candidates):
        raise InputError(f"n_candidates must be a whole number of at least 1 or None, not {n_candidates!r}")
    if n_candidates > _MOST_CANDIDATES:  # type: ignore[operator]  # it is a number
        raise InputError(f"n_candidates must be at most {_MOST_CANDIDATES:,}, not {n_candidates!r}")


@kernel(inline=True)
def best_drawn(image, labels, drawn):
    """Return the label of `drawn` that scores highest, -1 if all are: labels that were not found."""
    best = np.int64(drawn[0])
    # One candidate needs no score.
    if drawn.shape[0] > 1:
        best = np.int64(-1)
        best_score = -np.inf
        for c in range(drawn.shape[0]):
            if drawn[c] >= 0:
                score = np.float64(dot(image, labels, drawn[c]))
                # Of equal scores the first drawn stays, which makes equals equally likely.
                if score > best_score:
                    best_score = score
                    best = np.int64(drawn[c])
    return best


def best_of_law(law: np.ndarray, scores: np.ndarray, n_candidates: int, skip: float = 0.0) -> np.ndarray:
    """Return each label's probability of being the best-scoring of so many candidates.

    With ``F(a)`` the probability that a candidate is missing or scores no better than a, and ``F'(a)`` that it is
    missing or scores worse: ``p(a) (F(a)^c - F'(a)^c) / (F(a) - F'(a))``. Of equal scores the first drawn is taken, so
    that they share by their candidate law.

    Parameters
    ----------
    law : (L,) array
        The candidates' law, summing to 1.
    scores : (L,) array
        The labels' scores.
    n_candidates : int
        c, at least 1.
    skip : float
        The probability that a candidate is missing, as its draw was given up.

    Returns
    -------
    (L,) float64 array
        Sums to ``1 - skip ** n_candidates``.

    Examples
    --------
    >>> best_of_law(np.array([0.5, 0.25, 0.25]), np.array([1.0, 2.0, 3.0]), 2)
    array([0.25  , 0.3125, 0.4375])
    """
    _, group = np.unique(scores, return_inverse=True)
    below = np.concatenate(([0.0], np.cumsum(np.bincount(group, weights=law))))
    worse, no_better = (skip + (1 - skip) * below[group + i] for i in (0, 1))
    # The quotient of the docstring, written as the sum it is, in which nothing cancels.
    sums = np.zeros(len(law))
    for power in range(n_candidates):
        sums += no_better**power * worse ** (n_candidates - 1 - power)
    return (1 - skip) * law * sums
