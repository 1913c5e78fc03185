"""Dot products of rows."""

from __future__ import annotations

import numpy as np

from vsenumba.kernels.compiler import kernel


@kernel(inline=True)
def dot(vector, table, row):
    """Return the float32 dot product of `vector` and ``table[row]``."""
    total = np.float32(0)
    for f in range(vector.shape[0]):
        total += vector[f] * table[row, f]
    return total


@kernel(inline=True)
def four_dots(vector, table, a, b, c, d):
    """Return the float32 dot products of `vector` and four rows of a table; each number of the vector is read once."""
    dot_a, dot_b, dot_c, dot_d = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
    for f in range(vector.shape[0]):
        x = vector[f]
        dot_a += x * table[a, f]
        dot_b += x * table[b, f]
        dot_c += x * table[c, f]
        dot_d += x * table[d, f]
    return dot_a, dot_b, dot_c, dot_d


@kernel(inline=True)
def compare(vectors, row, table, positive, negative):
    """Return ``v.(p - n)``, ``v.v`` and ``(p - n).(p - n)`` for a row v and two rows p, n of a table, in one pass."""
    difference = np.float32(0)
    vector_square = np.float32(0)
    gap_square = np.float32(0)
    for f in range(vectors.shape[1]):
        x = vectors[row, f]
        gap = table[positive, f] - table[negative, f]
        difference += x * gap
        vector_square += x * x
        gap_square += gap * gap
    return difference, vector_square, gap_square


def dots(vector: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Return the dot products of `vector` and all rows of a table, (rows,) float64, rounded as in compiled draws."""
    return np.array([dot(vector, table, row) for row in range(len(table))], dtype=np.float64)
