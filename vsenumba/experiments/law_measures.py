"""Numbers that say what a sampler's law is like: how far from another law, how hard its negatives, how true its draws.

A law is an array of one row per image and one column per label, as `Sampler.law` returns it: zero at the image's own
labels, rows that sum to 1, or to 0 where nothing can be drawn. Measures of such a row are NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.special import expit
from scipy.stats import chi2

from vsenumba.errors import InputError

# Of a G-test: cells that expect fewer draws are pooled, for the statistic is chi-squared only in large cells.
_FEWEST_EXPECTED = 5


def total_variation(p: Any, q: Any) -> np.ndarray:
    """Return the total variation distance between laws: the largest difference in the probability of any event.

    Parameters
    ----------
    p, q : (n, L) or (L,) array
        Laws; one row may stand for all, as NumPy broadcasts.

    Returns
    -------
    (n,) float64 array, or a scalar for two single laws
        ``Σ |p - q| / 2``, in 0..1; NaN where either sums to 0.

    Examples
    --------
    >>> total_variation([[0.5, 0.5, 0], [1, 0, 0]], [0.25, 0.25, 0.5])
    array([0.5 , 0.75])
    """
    first, second = np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64)
    if first.shape[-1:] != second.shape[-1:]:
        raise InputError(f"p and q must be laws over the same labels, not {first.shape} and {second.shape}")
    drawable = (first.sum(axis=-1) > 0) & (second.sum(axis=-1) > 0)
    return np.where(drawable, np.abs(first - second).sum(axis=-1) / 2, np.nan)[()]


def violation_probability(law: Any, scores: Any, own: Any, margin: float = 1.0) -> np.ndarray:
    """Return the probability that a negative violates the margin: ``s_n + margin > s_p``.

    The negative n is drawn from the image's law, the positive p evenly from the image's own labels, one independently
    of the other. (WARP ties the two: it searches a violator of its very positive, so all that it returns violate.)
    With margin 0 this is the probability that the negative scores above the positive, one minus the AUC under the law.

    Parameters
    ----------
    law : (n, L) array
        The images' laws.
    scores : (n, L) array
        The labels' scores for the images.
    own : (n, L) sparse matrix, or one array of label columns per image
        The images' own labels.
    margin : float
        The margin, in units of score.

    Returns
    -------
    (n,) float64 array
        In 0..1; NaN for an image without labels of its own, and where nothing can be drawn.

    Examples
    --------
    >>> law, scores, own = [[0, 0.5, 0.25, 0.25]], [[2.0, 3.0, 1.5, 0.0]], [[0]]
    >>> violation_probability(law, scores, own), violation_probability(law, scores, own, margin=0)
    (array([0.75]), array([0.5]))
    """

    def violates(positives: np.ndarray, negatives: np.ndarray) -> np.ndarray:
        # Written as WARP's draw has it, so that rounding falls alike.
        return negatives + margin > positives

    return _mean_over_pairs(law, scores, own, violates)


def gradient_weight(law: Any, scores: Any, own: Any) -> np.ndarray:
    """Return how much a step moves: the mean of ``1 / (1 + exp(s_p - s_n))``, the size of the logistic loss's gradient.

    The gradient of a step is this factor times vectors; where it is near 0 the model learns nothing from the negative.
    Pairs are drawn as in `violation_probability`.

    Parameters
    ----------
    law, scores, own
        As in `violation_probability`.

    Returns
    -------
    (n,) float64 array
        In 0..1; NaN likewise.

    Examples
    --------
    >>> gradient_weight([[0, 0.5, 0.5]], [[1.0, 1.0, -20.0]], [[0]]).round(3)
    array([0.25])
    """
    return _mean_over_pairs(law, scores, own, lambda positives, negatives: expit(negatives - positives))


def goodness_of_fit(counts: Any, law: Any) -> float:
    """Return the p-value of the G-test: how likely draws that fit a law as badly or worse are, if they follow it.

    Labels that are expected to be drawn fewer than 5 times are pooled.

    Parameters
    ----------
    counts : (L,) array
        How often each label was drawn.
    law : (L,) array
        Their probabilities.

    Returns
    -------
    float
        0 if a label was drawn that the law rules out; NaN without a draw.

    Examples
    --------
    >>> round(goodness_of_fit([55, 45], [0.5, 0.5]), 3)
    0.317
    >>> goodness_of_fit([99, 1], [1, 0])
    0.0
    """
    observed, probability = np.asarray(counts, dtype=np.float64), np.asarray(law, dtype=np.float64)
    if observed.shape != probability.shape or observed.ndim != 1:
        raise InputError(f"counts and law must have one entry per label, not {observed.shape} and {probability.shape}")
    if observed.sum() == 0:
        return np.nan
    if observed[probability == 0].any():
        return 0.0
    expected = probability * observed.sum()
    order = np.argsort(expected, kind="stable")
    observed, expected = observed[order], expected[order]
    n_pooled = int(np.searchsorted(expected, _FEWEST_EXPECTED))
    # A pool that is itself too small takes in the smallest of the others.
    while n_pooled < len(expected) and 0 < expected[:n_pooled].sum() < _FEWEST_EXPECTED:
        n_pooled += 1
    observed = np.append(observed[n_pooled:], observed[:n_pooled].sum())
    expected = np.append(expected[n_pooled:], expected[:n_pooled].sum())
    drawn = observed > 0
    statistic = 2 * (observed[drawn] * np.log(observed[drawn] / expected[drawn])).sum()
    n_cells = np.count_nonzero(expected)
    return float(chi2.sf(statistic, n_cells - 1)) if n_cells > 1 else 1.0


def _mean_over_pairs(
    law: Any, scores: Any, own: Any, value: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> np.ndarray:
    """Return each image's mean of a value of two scores, over its own labels and, by its law, over negatives."""
    laws, scores = np.asarray(law, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    if laws.ndim != 2 or laws.shape != scores.shape:
        raise InputError(f"law and scores must be images by labels, not {laws.shape} and {scores.shape}")
    columns = _columns_by_image(own)
    if len(columns) != len(laws):
        raise InputError(f"own must be one array per image ({len(laws)}), not {len(columns)}")
    means = np.full(len(laws), np.nan)
    for i, mine in enumerate(columns):
        if len(mine) and laws[i].any():
            means[i] = (value(scores[i, mine, None], scores[i]) @ laws[i]).mean()
    return means


def _columns_by_image(own: Any) -> list[np.ndarray]:
    if sp.issparse(own):
        csr = sp.csr_array(own)
        return np.split(csr.indices, csr.indptr[1:-1])
    return [np.asarray(mine, dtype=np.int64) for mine in own]
