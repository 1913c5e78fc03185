"""Arrays that grow in place."""

from __future__ import annotations

import numpy as np


def longer(array: np.ndarray, n: int) -> None:
    """Enlarge an array to at least `n` values, in place if memory allows. No other array may share its memory."""
    if len(array) < n:
        array.resize(max(n, len(array) + len(array) // 4), refcheck=False)
