"""EASE on a GPU: the inverse of one large matrix."""

from __future__ import annotations

import numpy as np

from vsenumba.gpu.backend import require_card
from vsenumba.gpu.memory import check_fits, to_card, to_host, xp

# The Gram matrix, its inverse and the work space of the inversion, as float64.
_MATRICES = 4


def inverted(gram: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the inverse of a symmetric matrix and its reciprocal condition number.

    Parameters
    ----------
    gram : (L, L) float64 array
        The matrix.

    Returns
    -------
    inverse : (L, L) float64 array
        The inverse.
    condition : float
        The reciprocal condition number in the 1-norm.

    Raises
    ------
    ArithmeticError
        If the matrix has no inverse.
    MemoryLimitError
        If the matrices do not fit into the GPU's memory.
    """
    require_card()
    n_labels = len(gram)
    check_fits(_MATRICES * gram.nbytes, f"EASE with {n_labels:,} labels", 'use device="cpu", or max_neighbours=128')
    matrix = to_card(gram)
    try:
        inverse = xp.linalg.inv(matrix)
    except np.linalg.LinAlgError as error:
        raise ArithmeticError("the labels' matrix has no inverse") from error
    condition = 1 / (float(abs(matrix).sum(axis=0).max()) * float(abs(inverse).sum(axis=0).max()))
    return to_host(inverse), condition
