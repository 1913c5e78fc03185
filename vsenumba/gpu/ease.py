"""EASE's weights on a card: one matrix inverted."""

from __future__ import annotations

import numpy as np

from vsenumba.gpu.backend import require_card
from vsenumba.gpu.memory import check_fits, to_card, to_host, xp

# The Gram matrix, its inverse, and what the inversion works in, as float64.
_MATRICES = 4


def inverted(gram: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the inverse of a symmetric matrix, (L, L) float64, and its reciprocal condition in the 1-norm.

    Raises
    ------
    ArithmeticError
        If it has none.
    MemoryLimitError
        If the card has no room for it.
    """
    require_card()
    n_labels = len(gram)
    check_fits(_MATRICES * gram.nbytes, f"EASE with {n_labels:,} labels", 'take device="cpu", or max_neighbours=128')
    matrix = to_card(gram)
    try:
        inverse = xp.linalg.inv(matrix)
    except np.linalg.LinAlgError as error:
        raise ArithmeticError("the labels' matrix has no inverse") from error
    condition = 1 / (float(abs(matrix).sum(axis=0).max()) * float(abs(inverse).sum(axis=0).max()))
    return to_host(inverse), condition
