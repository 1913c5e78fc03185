"""Find the best scores of every row, without the excluded labels, for suggestions.

Each kernel runs on one thread without Python's interpreter lock. The caller runs several blocks of rows in parallel.
"""

from __future__ import annotations

import numpy as np

from vsenumba.kernels.compiler import kernel

# The result of `exclude` if all labels are valid; otherwise it returns the row of `scores` with invalid labels.
EXCLUDED = -1

# The number of scores that are compared with the current limit at once, as vector code. Most scores are below it.
_AT_ONCE = 64


@kernel
def exclude(scores, places, rows, indptr, labels):
    """Set the scores of some labels of every row to minus infinity.

    Parameters
    ----------
    scores : (b, w) float32
        The scores, changed.
    places : (n_labels,) int32
        The column of each label in `scores`; -1 for a label without a column.
    rows : (b,) int64
        The row of `indptr` for each row of `scores`.
    indptr, labels : (n + 1,) int64, int32
        The labels to exclude, in CSR form.

    Returns
    -------
    int
        `EXCLUDED`, or the first row of `scores` for which `rows`, `indptr` or `labels` is out of range.
    """
    for i in range(rows.shape[0]):
        if not 0 <= rows[i] < indptr.shape[0] - 1:
            return i
        begin, end = indptr[rows[i]], indptr[rows[i] + 1]
        if not 0 <= begin <= end <= labels.shape[0]:
            return i
        for j in range(begin, end):
            if not 0 <= labels[j] < places.shape[0]:
                return i
            place = places[labels[j]]
            if place >= 0:
                scores[i, place] = -np.inf
    return EXCLUDED


@kernel
def top_k(scores, floor, columns, best, odd):
    """Write the columns of each row's highest scores, best first; of equal scores, the first column comes first.

    Parameters
    ----------
    scores : (b, w) float32
        The scores.
    floor : float32
        Only scores above this number are used.
    columns, best : (b, n) int32, (b, n) float32
        Written: the columns and their scores; -1 and minus infinity if a row has fewer.
    odd : (b,) int64
        Written: the first column of the row whose score is NaN or infinite, or -1. If there is one, the other results
        of the row are not valid.
    """
    n, width = columns.shape[1], scores.shape[1]
    for i in range(scores.shape[0]):
        row, kept, values = scores[i], columns[i], best[i]
        kept[:] = -1
        values[:] = -np.inf
        odd[i] = -1
        worst, count, first = floor, 0, 0
        while first < width and odd[i] < 0:
            last = min(first + _AT_ONCE, width)
            if last - first < _AT_ONCE or any_above(row[first:last], worst):
                for place in range(first, last):
                    score = row[place]
                    # Also true for NaN.
                    if not score <= worst:
                        if not score < np.inf:
                            odd[i] = place
                            break
                        count = keep(values, kept, count, score, place)
                        if count == n:
                            worst = values[0]
            first = last
        fall(values, kept, count)


@kernel(inline=True)
def any_above(scores, bound):
    """Return whether one of `_AT_ONCE` scores is above a bound or NaN."""
    found = np.int32(0)
    for place in range(_AT_ONCE):
        found = np.int32(found + np.int32(not scores[place] <= bound))
    return found != 0


@kernel(inline=True)
def keep(values, kept, count, score, place):
    """Add a score and its place to a heap with the worst score at its top; a full heap loses its worst."""
    if count < values.shape[0]:
        node = count
        while node > 0:
            parent = (node - 1) // 2
            if not is_worse(score, place, values[parent], kept[parent]):
                break
            values[node], kept[node] = values[parent], kept[parent]
            node = parent
        values[node], kept[node] = score, place
        return count + 1
    settle(values, kept, count, score, place)
    return count


@kernel(inline=True)
def settle(values, kept, size, score, place):
    """Replace the top of a heap by a score and its place, and move them to where they belong."""
    node = 0
    while 2 * node + 1 < size:
        child = 2 * node + 1
        if child + 1 < size and is_worse(values[child + 1], kept[child + 1], values[child], kept[child]):
            child += 1
        if not is_worse(values[child], kept[child], score, place):
            break
        values[node], kept[node] = values[child], kept[child]
        node = child
    values[node], kept[node] = score, place


@kernel(inline=True)
def is_worse(score, place, other_score, other_place):
    """Return whether a score comes after another: it is lower, or it is equal and its place is later."""
    return score < other_score or (score == other_score and place > other_place)


@kernel(inline=True)
def fall(values, kept, count):
    """Sort a heap with the worst score at its top, so that the best comes first."""
    for size in range(count - 1, 0, -1):
        score, place = values[size], kept[size]
        values[size], kept[size] = values[0], kept[0]
        settle(values, kept, size, score, place)
