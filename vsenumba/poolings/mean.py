"""Mean pooling: every row has the same weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import prange

from vsenumba.kernels.compiler import kernel
from vsenumba.poolings.pooling import Pooling, Tables


@dataclass(frozen=True, kw_only=True)
class MeanPooling(Pooling):
    """Pool by the mean of the rows.

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.array([[1, 4], [3, 0], [5, 5]], np.float32)
    >>> MeanPooling().pool(rows, np.array([0, 2, 3]), {})
    array([[2., 2.],
           [5., 5.]], dtype=float32)
    """

    name: ClassVar[str] = "mean"

    def forward(self, values: np.ndarray, offsets: np.ndarray, parameters: Mapping[str, np.ndarray]) -> tuple[Any, Any]:
        """Pool; see `Pooling.forward`."""
        pooled = np.empty((len(offsets) - 1, values.shape[1]), np.float32)
        _average(values, offsets, pooled)
        return pooled, offsets

    def backward(self, gradient: np.ndarray, memory: Any) -> tuple[np.ndarray, Tables]:
        """Return the gradients; every row gets an equal share. See `Pooling.backward`."""
        offsets = memory
        result = np.empty((offsets[-1], gradient.shape[1]), np.float32)
        _share(gradient, offsets, result)
        return result, {}


@kernel(parallel=True)
def _average(values, offsets, pooled):
    for segment in prange(offsets.shape[0] - 1):
        begin, end = offsets[segment], offsets[segment + 1]
        share = np.float32(1) / np.float32(end - begin)
        for f in range(values.shape[1]):
            pooled[segment, f] = 0
        for row in range(begin, end):
            for f in range(values.shape[1]):
                pooled[segment, f] += values[row, f]
        for f in range(values.shape[1]):
            pooled[segment, f] *= share


@kernel(parallel=True)
def _share(gradient, offsets, result):
    for segment in prange(offsets.shape[0] - 1):
        begin, end = offsets[segment], offsets[segment + 1]
        share = np.float32(1) / np.float32(end - begin)
        for row in range(begin, end):
            for f in range(gradient.shape[1]):
                result[row, f] = share * gradient[segment, f]
