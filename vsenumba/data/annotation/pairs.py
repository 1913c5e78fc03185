"""Pairs of rows and columns: read from matrices of any format, and stored as the structure of a CSR matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from vsenumba.checks import refuse_masked
from vsenumba.errors import InputError
from vsenumba.memory import check_memory

# The number of pairs to process together. Processing all at once would take several times their memory.
BLOCK = 1 << 22

# Columns are int32, and a row and a column fit into one int64.
_MOST_COLUMNS = 2**31 - 1


def pairs_to_csr(rows: np.ndarray, columns: np.ndarray, n_rows: int, n_columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Return ``(indptr int64, indices int32)`` of the distinct pairs, sorted by row and column."""
    if n_columns > _MOST_COLUMNS:
        raise InputError(f"{n_columns:,} labels are too many; at most 2**31 - 1 are supported")
    check_memory(16 * n_rows, f"a set of {n_rows:,} images", "leave out images without labels")
    keys = sorted_distinct(rows.astype(np.int64) * n_columns + columns)
    rows, columns = np.divmod(keys, max(n_columns, 1))
    indptr = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=n_rows))))
    return indptr.astype(np.int64), columns.astype(np.int32)


def sorted_distinct(keys: np.ndarray) -> np.ndarray:
    """Return sorted, distinct whole numbers. This is several times as fast as ``np.unique``, which hashes them."""
    keys = np.sort(keys)
    first = np.ones(len(keys), dtype=bool)
    first[1:] = keys[1:] != keys[:-1]
    return keys[first]


def column_counts(indices: np.ndarray, n_columns: int) -> np.ndarray:
    """Return how often each column occurs, (n_columns,) int64."""
    check_memory(8 * n_columns, f"counting {n_columns:,} labels", "leave out labels without images")
    counts = np.zeros(n_columns, dtype=np.int64)
    for start in range(0, len(indices), BLOCK):
        counts += np.bincount(indices[start : start + BLOCK], minlength=n_columns)
    return counts


def row_blocks(indptr: np.ndarray) -> list[tuple[int, int]]:
    """Return ranges of rows. Each has about `BLOCK` pairs or rows, and at least one row."""
    blocks, start, n_rows = [], 0, len(indptr) - 1
    while start < n_rows:
        stop = int(np.searchsorted(indptr, indptr[start] + BLOCK, side="right")) - 1
        stop = min(max(stop, start + 1), start + BLOCK, n_rows)
        blocks.append((start, stop))
        start = stop
    return blocks


def merged(
    indptr: np.ndarray, indices: np.ndarray, more_indptr: np.ndarray, more_indices: np.ndarray, n_columns: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the CSR structure of the union of two structures with the same rows and columns."""
    parts, counts = [], [np.zeros(1, dtype=np.int64)]
    for start, stop in row_blocks(indptr + more_indptr):
        rows, columns = [], []
        for p, i in ((indptr, indices), (more_indptr, more_indices)):
            rows.append(np.repeat(np.arange(stop - start), np.diff(p[start : stop + 1])))
            columns.append(i[p[start] : p[stop]])
        block, part = pairs_to_csr(np.concatenate(rows), np.concatenate(columns), stop - start, n_columns)
        parts.append(part)
        counts.append(np.diff(block))
    return np.cumsum(np.concatenate(counts)), np.concatenate([np.zeros(0, dtype=np.int32), *parts])


def gather_rows(
    indptr: np.ndarray, indices: np.ndarray, rows: np.ndarray, n_columns: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return new arrays ``(indptr int64, indices)`` for some rows of a CSR structure.

    Raises
    ------
    InputError
        If the structure is invalid because its arrays were changed.
    """
    starts = indptr[rows]
    lengths = indptr[rows + 1] - starts
    if len(rows) and not (starts.min() >= 0 <= lengths.min() and (starts + lengths).max() <= len(indices)):
        raise changed_structure("indptr")
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    places = np.repeat(starts - offsets[:-1], lengths)
    places += np.arange(offsets[-1])
    columns = indices[places]
    if len(columns) and not 0 <= columns.min() <= columns.max() < n_columns:
        raise changed_structure("indices")
    return offsets, columns


def changed_structure(name: str) -> InputError:
    """Return the error for a set whose arrays were changed after it was made, so that they are now invalid."""
    return InputError(
        f"the {name} of a data set was changed after the data set was made and is now invalid; make the data set again"
    )


def check_structure(indptr: np.ndarray, indices: np.ndarray, shape: tuple[int, int]) -> None:
    """Raise an error unless the arrays are a CSR structure with sorted, distinct columns in every row."""
    n_images, n_labels = shape
    if n_labels > _MOST_COLUMNS:
        raise InputError(f"{n_labels:,} labels are too many; at most 2**31 - 1 are supported")
    if n_images < 0 or indptr[0] != 0 or indptr[-1] != len(indices) or (indptr[1:] < indptr[:-1]).any():
        raise InputError(f"indptr must rise from 0 to the number of pairs ({len(indices)}), one more entry than images")
    if len(indices) and not 0 <= indices.min() <= indices.max() < n_labels:
        raise InputError(f"label columns must lie in 0..{n_labels - 1}, found {indices.min()}..{indices.max()}")
    for start in range(1, len(indices), BLOCK):
        stop = min(start + BLOCK, len(indices))
        falls = indices[start:stop] <= indices[start - 1 : stop - 1]
        first, last = np.searchsorted(indptr, (start, stop))
        falls[indptr[first:last] - start] = False
        if falls.any():
            row = int(np.searchsorted(indptr, start + np.flatnonzero(falls)[0], side="right")) - 1
            raise InputError(f"the label columns of image {row} are not strictly increasing")


def nonzero_pairs(matrix: Any) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """Return the rows and columns of the non-zeros of any matrix, and its shape, and reject invalid values."""
    refuse_masked("X", matrix)
    if not sp.issparse(matrix):
        try:
            matrix = np.asarray(matrix)
        except ValueError as error:
            raise InputError(f"X is neither a matrix nor a list of label lists: {error}") from error
        if matrix.dtype.kind == "O":
            try:
                matrix = matrix.astype(np.float64)
            except (TypeError, ValueError) as error:
                raise InputError(f"X contains a value that is not a number: {error}") from error
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
    if hasattr(matrix, "check_format"):  # CSR, CSC and BSR: compiled code would read out of bounds on bad offsets
        try:
            matrix.check_format(full_check=True)
        except ValueError as error:
            raise InputError(f"X is not a valid sparse matrix: {error}") from error
    # Do not convert to CSR, which adds up duplicates: small integers would overflow.
    coo = matrix.tocoo()
    _check_values(coo.data)
    nonzero = coo.data != 0
    return coo.row[nonzero], coo.col[nonzero], coo.shape


def _check_values(values: np.ndarray) -> None:
    # scikit-learn's checks look for "NaN" and "inf" in the message.
    found = {"negative": values < 0} if values.dtype.kind in "if" else {}
    if values.dtype.kind == "f":
        found = {
            "NaN": np.isnan(values),
            "inf": np.isinf(values),
            "fractional": np.trunc(values) != values,
        } | found
    for name, bad in found.items():
        if bad.any():
            raise InputError(f"X holds {bad.sum()} {name} value(s); expected true/false or whole numbers")
