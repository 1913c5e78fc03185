"""Top-k mean pooling: the mean of the largest values of every column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from vsenumba.checks import is_whole
from vsenumba.errors import InputError
from vsenumba.poolings.pooling import Pooling, Tables
from vsenumba.poolings.ranked import ranked_sums, ranked_sums_backward


@dataclass(frozen=True, kw_only=True)
class TopMeanPooling(Pooling):
    """Pool by the mean of the `k` largest values of every column, or of all values if there are fewer.

    Parameters
    ----------
    k : int, default 5
        At least 1; 1 is max pooling.

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.array([[1, 4], [3, 0], [2, 2], [5, 5]], np.float32)
    >>> TopMeanPooling(k=2).pool(rows, np.array([0, 3, 4]), {})
    array([[2.5, 3. ],
           [5. , 5. ]], dtype=float32)
    """

    k: int = 5
    name: ClassVar[str] = "top-mean"

    def __post_init__(self) -> None:
        if not is_whole(self.k):
            raise InputError(f"k must be a whole number of at least 1, not {self.k!r}")

    def forward(self, values: np.ndarray, offsets: np.ndarray, parameters: Mapping[str, np.ndarray]) -> tuple[Any, Any]:
        """Pool; see `Pooling.forward`."""
        lengths = np.diff(offsets)
        # Row n contains the weights for segments of n rows.
        places = np.arange(1, lengths.max() + 1)
        counted = np.minimum(np.arange(lengths.max() + 1), int(self.k))
        weights = (places <= counted[:, None]) / np.maximum(counted[:, None], 1)
        return ranked_sums(values, offsets, weights.astype(np.float32))

    def backward(self, gradient: np.ndarray, memory: Any) -> tuple[np.ndarray, Tables]:
        """Return the gradients, shared among the largest values; see `Pooling.backward`."""
        return ranked_sums_backward(gradient, memory)[0], {}
