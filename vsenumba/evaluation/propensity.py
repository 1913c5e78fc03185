"""How likely a label that fits an image is noted: what hits weigh in psp@k and psndcg@k, by how rare a label is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vsenumba.checks import is_number
from vsenumba.errors import InputError
from vsenumba.evaluation.ranks import Floats

# What the repository takes for all sets but Amazon's (0.6, 2.6) and Wikipedia's (0.5, 0.4).
DEFAULT_A_B = (0.55, 1.5)

# With fewer C would be negative, for log 2 < 1, and so could be a propensity.
LEAST_IMAGES = 3


def inverse_propensities(label_counts: np.ndarray, n_images: int, a_b: tuple[float, float] = DEFAULT_A_B) -> Floats:
    """Return ``1 / p`` of every label, which is above 1 and falls as more images have the label.

    ``p = 1 / (1 + C exp(-A log(N_l + B)))`` with ``C = (log N - 1) (B + 1)^A``, for a label that N_l of N training
    images have: Jain, Prabhu and Varma, "Extreme multi-label loss functions for recommendation, tagging, ranking &
    other missing label applications", KDD 2016, as in the Extreme Classification Repository (Bhatia et al. 2016).

    Parameters
    ----------
    label_counts : (n_labels,) int64 array
        N_l: how many training images have each label; none is fine.
    n_images : int
        N, at least 3.
    a_b : (float, float)
        A and B, both above 0.

    Returns
    -------
    (n_labels,) float64 array
        The inverse propensities.

    Raises
    ------
    InputError
        If A or B cannot be used, or there are too few images.

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
    """Return A and B as they were given, or refuse what is no two finite numbers above 0."""
    numbers = tuple(a_b) if isinstance(a_b, (tuple, list)) else ()
    if len(numbers) != 2 or not all(is_number(one) and 0 < one < math.inf for one in numbers):
        raise InputError(f"propensity must be two numbers above 0, A and B, as in {DEFAULT_A_B}, not {a_b!r:.60}")
    return numbers
