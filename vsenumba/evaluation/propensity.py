"""Propensities of labels, the weights of hits in psp@k and psndcg@k: hits of rare labels count more."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vsenumba.checks import is_number
from vsenumba.errors import InputError
from vsenumba.evaluation.ranks import Floats

# The repository's values for all sets except Amazon's (0.6, 2.6) and Wikipedia's (0.5, 0.4).
DEFAULT_A_B = (0.55, 1.5)

# With fewer images C is negative, because log 2 < 1, and a propensity could be negative too.
LEAST_IMAGES = 3


def inverse_propensities(label_counts: np.ndarray, n_images: int, a_b: tuple[float, float] = DEFAULT_A_B) -> Floats:
    """Return the inverse propensity ``1 / p`` of every label.

    The propensity p is the probability that a label that fits an image was noted:
    ``p = 1 / (1 + C exp(-A log(N_l + B)))`` with ``C = (log N - 1) (B + 1)^A``, for a label that N_l of N training
    images have. The inverse is above 1, and falls with N_l.

    Parameters
    ----------
    label_counts : (n_labels,) int64 array
        N_l, the number of training images that have each label; 0 is allowed.
    n_images : int
        N, at least 3.
    a_b : (float, float), default (0.55, 1.5)
        A and B, both above 0.

    Returns
    -------
    (n_labels,) float64 array
        The inverse propensities.

    Raises
    ------
    InputError
        If A or B cannot be used, or there are too few images.

    References
    ----------
    Jain, Prabhu & Varma, "Extreme multi-label loss functions for recommendation, tagging, ranking & other missing label
    applications", KDD 2016.

    Bhatia et al., "The extreme classification repository", 2016, for the values of A and B.

    Examples
    --------
    >>> inverse_propensities(np.array([1, 10, 1000]), 10_000).round(2)
    array([9.21, 4.55, 1.3 ])
    """
    a, b = checked_a_b(a_b)
    if n_images < LEAST_IMAGES:
        raise InputError(
            f"propensities are not defined for a training set of fewer than {LEAST_IMAGES} images, found {n_images}: "
            "leave out psp@k and psndcg@k"
        )
    c = (math.log(n_images) - 1) * (b + 1) ** a
    inverse: Floats = 1 + c * (np.asarray(label_counts, np.float64) + b) ** -a
    return inverse


def checked_a_b(a_b: Any) -> tuple[float, float]:
    """Return A and B unchanged, or raise an error if they are not two finite numbers above 0."""
    numbers = tuple(a_b) if isinstance(a_b, (tuple, list)) else ()
    if len(numbers) != 2 or not all(is_number(one) and 0 < one < math.inf for one in numbers):
        raise InputError(f"propensity must be two numbers above 0, A and B, as in {DEFAULT_A_B}, not {a_b!r:.60}")
    return numbers
