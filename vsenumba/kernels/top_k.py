"""The best of every row of scores, the excluded left out: what suggestions are made of.

The kernels run on one thread each, without the interpreter's lock: whoever asks runs several blocks of rows at once.
"""

from __future__ import annotations

import numpy as np

from vsenumba.kernels.compiler import kernel

# What `exclude` returns where all is well; otherwise the row of `scores` whose excluded labels are none.
EXCLUDED = -1

# Scores that are compared with the worst of the best so far in one go, in vector code: most of them are not better.
_AT_ONCE = 64


@kernel
def exclude(scores, places, rows, indptr, labels):
    """Make the scores of some labels of every row minus infinity; return `EXCLUDED`, or which row cannot be.

    Parameters
    ----------
    scores : (b, w) float32
        Changed.
    places : (n_labels,) int32
        The column of `scores` that each label has; -1 where it has none.
    rows : (b,) int64
        Where each row's labels are found.
    indptr, labels : (n + 1,) int64, int32
        The labels to exclude, as a CSR matrix has them. Out of range of each other they are no set's: see `EXCLUDED`.
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
    """Write the columns of each row's highest scores, best first, and of equal scores the first column first.

    Parameters
    ----------
    scores : (b, w) float32
        The scores.
    floor : float32
        Scores that are not above it are left out.
    columns, best : (b, n) int32, (b, n) float32
        Written: the columns and their scores; -1 and minus infinity where a row has fewer.
    odd : (b,) int64
        Written: the first column of the row whose score is NaN or infinity, for which nothing is written; -1 where
        there is none.
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
                    # NaN is not below either.
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
    """Return whether one of so many scores as are looked at in one go is above a bound, or NaN."""
    found = np.int32(0)
    for place in range(_AT_ONCE):
        found = np.int32(found + np.int32(not scores[place] <= bound))
    return found != 0


@kernel(inline=True)
def keep(values, kept, count, score, place):
    """Put a score and its place into a heap with the worst at its top, in place of that if it is full."""
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
    """Put a score and its place where they belong in a heap of some size whose top is to be replaced."""
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
    """Return whether a score comes after another: it is lower, or the same and further behind."""
    return score < other_score or (score == other_score and place > other_place)


@kernel(inline=True)
def fall(values, kept, count):
    """Sort a heap with the worst at its top: the best comes first."""
    for size in range(count - 1, 0, -1):
        score, place = values[size], kept[size]
        values[size], kept[size] = values[0], kept[0]
        settle(values, kept, size, score, place)
