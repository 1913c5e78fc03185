"""Measures of a sampler's law: its distance from another law, the difficulty of its negatives, the fit of its draws.

A law is the exact probability distribution of a sampler's draws. Here it is an array with one row per image and one
column per label, as `Sampler.law` returns it. The probability of the image's known labels is 0. A row sums to 1, or to
0 if no label can be drawn. For a row that sums to 0, all measures are NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.special import expit
from scipy.stats import chi2

from vsenumba.errors import InputError

# The statistic of a G-test is chi-squared only if cells are large, so cells that expect fewer draws are merged.
_FEWEST_EXPECTED = 5


def total_variation(p: Any, q: Any) -> np.ndarray:
    """Compute the total variation distance between two laws.

    This is the largest difference between the two laws in the probability of any set of labels.

    Parameters
    ----------
    p, q : (n, L) or (L,) array_like
        The laws. A single row is compared with every row of the other array.

    Returns
    -------
    (n,) float64 array, or a scalar for two single laws
        ``Σ |p - q| / 2``, from 0 to 1; NaN if one of the two laws sums to 0.

    Raises
    ------
    InputError
        If the laws have different numbers of labels.

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
    """Compute the probability that a negative violates the margin: ``s_n + margin > s_p``.

    The negative n is drawn from the image's law. The positive p is drawn uniformly from the image's known labels, and
    independently of the negative. With margin 0, the result is the probability that the negative scores above the
    positive, which is one minus the AUC under the law.

    The independence is a simplification for WARP: that sampler searches for a label that violates the margin of its
    own positive, so each negative that it returns violates that margin.

    Parameters
    ----------
    law : (n, L) array_like
        The laws of the images.
    scores : (n, L) array_like
        The scores of the labels for each image.
    own : (n, L) sparse matrix, or sequence of n arrays of int
        The known labels of each image. A sequence holds one array of label columns per image.
    margin : float
        The margin, in units of the score.

    Returns
    -------
    (n,) float64 array
        Probabilities from 0 to 1; NaN for an image that has no known label, or for which no label can be drawn.

    Raises
    ------
    InputError
        If the shapes differ.

    Examples
    --------
    >>> law, scores, own = [[0, 0.5, 0.25, 0.25]], [[2.0, 3.0, 1.5, 0.0]], [[0]]
    >>> violation_probability(law, scores, own), violation_probability(law, scores, own, margin=0)
    (array([0.75]), array([0.5]))
    """

    def violates(positives: np.ndarray, negatives: np.ndarray) -> np.ndarray:
        # Same form as in WARP's draw, so that rounding has the same effect.
        return negatives + margin > positives

    return _mean_over_pairs(law, scores, own, violates)


def gradient_weight(law: Any, scores: Any, own: Any) -> np.ndarray:
    """Compute the mean weight of the gradient of a training step under the logistic loss.

    The gradient of a step is ``1 / (1 + exp(s_p - s_n))`` times vectors. If this weight is near 0, the model learns
    nothing from the negative. The positive p and the negative n are drawn as in `violation_probability`.

    Parameters
    ----------
    law : (n, L) array_like
        The laws of the images.
    scores : (n, L) array_like
        The scores of the labels for each image.
    own : (n, L) sparse matrix, or sequence of n arrays of int
        The known labels of each image. A sequence holds one array of label columns per image.

    Returns
    -------
    (n,) float64 array
        Weights from 0 to 1; NaN for an image that has no known label, or for which no label can be drawn.

    Raises
    ------
    InputError
        If the shapes differ.

    Examples
    --------
    >>> gradient_weight([[0, 0.5, 0.5]], [[1.0, 1.0, -20.0]], [[0]]).round(3)
    array([0.25])
    """
    return _mean_over_pairs(law, scores, own, lambda positives, negatives: expit(negatives - positives))


def goodness_of_fit(counts: Any, law: Any) -> float:
    """Test with a G-test whether draws follow a law, and return the p-value.

    The p-value is the probability that draws from the law fit it as badly as the given draws, or worse. Labels with
    fewer than 5 expected draws are merged into one cell.

    Parameters
    ----------
    counts : (L,) array_like
        The number of draws of each label.
    law : (L,) array_like
        The probability of each label.

    Returns
    -------
    float
        The p-value; 0 if a label with probability 0 was drawn, NaN if there are no draws.

    Raises
    ------
    InputError
        If the two arrays have different shapes, or more than one dimension.

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
    # If the merged cell still expects too few draws, it absorbs the smallest of the other cells.
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
    """Return, per image, the mean of a function of two scores, over its known labels and over its negatives."""
    laws, scores = np.asarray(law, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    if laws.ndim != 2 or laws.shape != scores.shape:
        raise InputError(f"law and scores must be arrays of images by labels, not {laws.shape} and {scores.shape}")
    columns = _columns_by_image(own)
    if len(columns) != len(laws):
        raise InputError(f"own must have one array per image ({len(laws)}), not {len(columns)}")
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
