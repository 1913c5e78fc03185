"""Arrays that grow where they lie."""

from __future__ import annotations

import numpy as np


def longer(array: np.ndarray, n: int) -> None:
    """Have an array, which nobody else looks at, hold at least `n` values; where it lies, if there is room."""
    if len(array) < n:
        array.resize(max(n, len(array) + len(array) // 4), refcheck=False)
