"""Max pooling: the largest value of every column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import prange

from vsenumba.kernels.compiler import kernel
from vsenumba.poolings.pooling import Pooling, Tables


@dataclass(frozen=True, kw_only=True)
class MaxPooling(Pooling):
    """Pool by the largest value of every column.

    Among equal values, the first row counts, and it alone gets the gradient.

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.array([[1, 4], [3, 0], [5, 5]], np.float32)
    >>> MaxPooling().pool(rows, np.array([0, 2, 3]), {})
    array([[3., 4.],
           [5., 5.]], dtype=float32)
    """

    name: ClassVar[str] = "max"

    def forward(self, values: np.ndarray, offsets: np.ndarray, parameters: Mapping[str, np.ndarray]) -> tuple[Any, Any]:
        """Pool; see `Pooling.forward`."""
        shape = len(offsets) - 1, values.shape[1]
        pooled, origins = np.empty(shape, np.float32), np.empty(shape, np.int32)
        _largest(values, offsets, pooled, origins)
        return pooled, (offsets, origins)

    def backward(self, gradient: np.ndarray, memory: Any) -> tuple[np.ndarray, Tables]:
        """Return the gradients; the row with the largest value gets all of it. See `Pooling.backward`."""
        offsets, origins = memory
        result = np.zeros((offsets[-1], gradient.shape[1]), np.float32)
        _return_largest(gradient, offsets, origins, result)
        return result, {}


@kernel(parallel=True)
def _largest(values, offsets, pooled, origins):
    for segment in prange(offsets.shape[0] - 1):
        begin = offsets[segment]
        for f in range(values.shape[1]):
            pooled[segment, f] = values[begin, f]
            origins[segment, f] = 0
        for row in range(begin + 1, offsets[segment + 1]):
            place = np.int32(row - begin)
            for f in range(values.shape[1]):
                larger = values[row, f] > pooled[segment, f]
                pooled[segment, f] = values[row, f] if larger else pooled[segment, f]
                origins[segment, f] = place if larger else origins[segment, f]


@kernel(parallel=True)
def _return_largest(gradient, offsets, origins, result):
    for segment in prange(offsets.shape[0] - 1):
        for f in range(gradient.shape[1]):
            result[offsets[segment] + origins[segment, f], f] = gradient[segment, f]
