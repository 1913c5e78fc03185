"""The best-scoring of several candidates, and its law, which two samplers share."""

from __future__ import annotations

import numpy as np

from vsenumba.checks import is_whole
from vsenumba.errors import InputError
from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.dot import dot

# Every shard stores its candidates. Far fewer are useful.
_MOST_CANDIDATES = 100_000


def check_candidates(n_candidates: object) -> None:
    """Raise an error unless the number of candidates is None or a whole number from 1 to 100,000."""
    if n_candidates is None:
        return
    if not is_whole(n_candidates):
        raise InputError(f"n_candidates must be a whole number of at least 1 or None, not {n_candidates!r}")
    if n_candidates > _MOST_CANDIDATES:  # type: ignore[operator]  # it is a number
        raise InputError(f"n_candidates must be at most {_MOST_CANDIDATES:,}, not {n_candidates!r}")


@kernel(inline=True)
def best_drawn(image, labels, drawn):
    """Return the label of `drawn` with the highest score; -1 if no candidate was found."""
    best = np.int64(drawn[0])
    # A single candidate needs no score.
    if drawn.shape[0] > 1:
        best = np.int64(-1)
        best_score = -np.inf
        for c in range(drawn.shape[0]):
            if drawn[c] >= 0:
                score = np.float64(dot(image, labels, drawn[c]))
                # Keep the first of equal scores, so that these labels are equally likely.
                if score > best_score:
                    best_score = score
                    best = np.int64(drawn[c])
    return best


def best_of_law(law: np.ndarray, scores: np.ndarray, n_candidates: int, skip: float = 0.0) -> np.ndarray:
    """Return each label's probability of being the best-scoring of several candidates.

    With ``F(a)`` the probability that a candidate is missing or scores no better than a, and ``F'(a)`` that it is
    missing or scores worse, the probability is ``p(a) (F(a)^c - F'(a)^c) / (F(a) - F'(a))``. Among candidates with
    equal scores, the first drawn wins, so their probabilities are in proportion to the candidates' law.

    Parameters
    ----------
    law : (L,) array
        Law of the candidates, which sums to 1.
    scores : (L,) array
        Scores of the labels.
    n_candidates : int
        Number of candidates c, at least 1.
    skip : float, default 0.0
        Probability that a candidate is missing because its draw was skipped.

    Returns
    -------
    (L,) float64 array
        The probabilities; they sum to ``1 - skip ** n_candidates``.

    Examples
    --------
    >>> best_of_law(np.array([0.5, 0.25, 0.25]), np.array([1.0, 2.0, 3.0]), 2)
    array([0.25  , 0.3125, 0.4375])
    """
    _, group = np.unique(scores, return_inverse=True)
    below = np.concatenate(([0.0], np.cumsum(np.bincount(group, weights=law))))
    worse, no_better = (skip + (1 - skip) * below[group + i] for i in (0, 1))
    # Expand the quotient of the docstring as a sum, which avoids cancellation.
    sums = np.zeros(len(law))
    for power in range(n_candidates):
        sums += no_better**power * worse ** (n_candidates - 1 - power)
    return (1 - skip) * law * sums
