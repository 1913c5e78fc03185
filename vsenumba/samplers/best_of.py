"""The law of the best-scoring of several candidates, which two samplers share."""

from __future__ import annotations

import numpy as np


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
