"""Pairs of rows and columns: out of matrices of any format, and into the structure of a CSR matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from vsenumba.errors import InputError


def pairs_to_csr(rows: np.ndarray, columns: np.ndarray, n_rows: int, n_columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Return ``(indptr int64, indices int32)`` of the distinct pairs, sorted by row and column."""
    keys = sorted_distinct(rows.astype(np.int64) * n_columns + columns)
    rows, columns = np.divmod(keys, max(n_columns, 1))
    indptr = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=n_rows))))
    return indptr.astype(np.int64), columns.astype(np.int32)


def sorted_distinct(keys: np.ndarray) -> np.ndarray:
    """Return whole numbers sorted, each once; several times as fast as ``np.unique``, which hashes them."""
    keys = np.sort(keys)
    first = np.ones(len(keys), dtype=bool)
    first[1:] = keys[1:] != keys[:-1]
    return keys[first]


def nonzero_pairs(matrix: Any) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """Return the rows and columns of the non-zeros of any matrix, and its shape; refuse odd values."""
    if not sp.issparse(matrix):
        try:
            matrix = np.asarray(matrix)
        except ValueError as error:
            raise InputError(f"X is neither a matrix nor a list of label lists: {error}") from error
        if matrix.dtype.kind == "O":
            try:
                matrix = matrix.astype(np.float64)
            except (TypeError, ValueError) as error:
                raise InputError(f"X holds what is not a number: {error}") from error
    if matrix.dtype.kind == "c":
        raise InputError("X holds complex numbers. Complex data not supported")
    if matrix.ndim != 2 or matrix.dtype.kind not in "buif":
        raise InputError(
            f"X must be a numeric matrix of two dimensions (images by labels), not {matrix.dtype} of shape "
            f"{matrix.shape}"
        )
    if isinstance(matrix, np.ndarray):
        _check_values(matrix)
        return *np.nonzero(matrix), matrix.shape
    if hasattr(matrix, "check_format"):  # CSR, CSC and BSR: bad offsets would send compiled code astray
        try:
            matrix.check_format(full_check=True)
        except ValueError as error:
            raise InputError(f"X is not a valid sparse matrix: {error}") from error
    # Not by way of CSR, which adds up duplicates: small integers would overflow.
    coo = matrix.tocoo()
    _check_values(coo.data)
    nonzero = coo.data != 0
    return coo.row[nonzero], coo.col[nonzero], coo.shape


def _check_values(values: np.ndarray) -> None:
    # The words "NaN" and "inf" are what scikit-learn's checks look for in the message.
    found = {"negative": values < 0} if values.dtype.kind in "if" else {}
    if values.dtype.kind == "f":
        found = {
            "NaN": np.isnan(values),
            "inf": np.isinf(values),
            "fractional": np.trunc(values) != values,
        } | found
    for name, bad in found.items():
        if bad.any():
            raise InputError(f"X holds {bad.sum()} {name} value(s); true/false or whole numbers are expected")
