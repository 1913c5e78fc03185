"""The network that turns the features of images into vectors: standardisation, a hidden layer, and a projection."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from vsenumba.data.annotation.features import feature_rows, is_sparse
from vsenumba.errors import InputError
from vsenumba.kernels.products import product, product_of_transposed

# The largest number of images for the standardisation, evenly spaced, and how many of them are read at a time.
_MEASURED, _AT_ONCE = 65_536, 4_096
# A feature counts as constant if its variance, as a share of its squared mean, is not larger than rounding errors.
_CONSTANT = 1e-10


def measured(features: Any, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Return the mean and the spread of the features of some images, each (n_features,) float32.

    The spread is the same number for all features: the root of their mean variance, or 1 if all images have the same
    features. Dividing each feature by its own spread would amplify the features that a backbone keeps small. On Open
    Clip Art with the built-in descriptors, P@1 was .768 with one number, and .757 with one number per feature.

    Raises
    ------
    InputError
        If all images have the same features.

    Warns
    -----
    UserWarning
        If more than half of the features are the same for all images.
    """
    rows = np.sort(rows[:: max(1, len(rows) // _MEASURED)])
    total, squares = np.zeros(features.shape[1]), np.zeros(features.shape[1])
    for start in range(0, len(rows), _AT_ONCE):
        block = feature_rows(features, rows[start : start + _AT_ONCE]).astype(np.float64)
        squares += np.asarray((block * block).sum(axis=0)).ravel()
        total += np.asarray(block.sum(axis=0)).ravel()
    mean = total / max(len(rows), 1)
    variance = np.maximum(squares / max(len(rows), 1) - mean * mean, 0)
    n_constant = int((variance <= _CONSTANT * np.maximum(mean * mean, 1e-30)).sum())
    if n_constant == len(mean) and len(rows) > 1:
        raise InputError(
            f"the features of all {len(rows):,} images with labels are the same, so nothing can be learnt from them: "
            "check that they were computed, and that they are in the order of the images"
        )
    if n_constant > len(mean) / 2 and len(rows) > 1:
        warnings.warn(
            f"{n_constant:,} of {len(mean):,} features are the same for all images, so they carry no information",
            UserWarning,
            stacklevel=5,
        )
    spread = np.sqrt(variance.mean()) or 1.0
    return {"feature_mean": mean.astype(np.float32), "feature_spread": np.full(len(mean), spread, np.float32)}


def standardised(block: Any, tables: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return features with mean 0 and spread 1 as a dense float32 array."""
    dense = block.toarray() if is_sparse(block) else block
    result = np.subtract(dense, tables["feature_mean"], dtype=np.float32)
    result /= tables["feature_spread"]
    return result


def forward(
    batch: np.ndarray, tables: Mapping[str, np.ndarray], multiply: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the vectors of images, (n, k), and their hidden layer, (n, h), which `backward` needs.

    Parameters
    ----------
    batch : (n, n_features) float32 array
        The standardised features.
    tables : mapping from str to array
        ``feature_weights``, (n_features + 1, h), and ``feature_projection``, (h + 1, k). The last row of each is the
        bias.
    multiply : callable
        The matrix product. Training uses `product`. If several threads call this function at the same time, use
        `np.matmul`, because parallel kernels wait for each other.
    """
    weights, projection = tables["feature_weights"], tables["feature_projection"]
    hidden = multiply(batch, weights[:-1])
    hidden += weights[-1]
    np.maximum(hidden, 0, out=hidden)
    vectors = multiply(hidden, projection[:-1])
    vectors += projection[-1]
    return vectors, hidden


def backward(
    batch: np.ndarray, hidden: np.ndarray, gradient: np.ndarray, tables: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return the gradients of the weights from the gradients of the vectors, (n, k)."""
    below = product(gradient, np.ascontiguousarray(tables["feature_projection"][:-1].T))
    below *= hidden > 0
    return {
        "feature_weights": np.vstack([product_of_transposed(batch, below), below.sum(axis=0)]),
        "feature_projection": np.vstack([product_of_transposed(hidden, gradient), gradient.sum(axis=0)]),
    }
