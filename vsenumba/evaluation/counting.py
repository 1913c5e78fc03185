"""Counting ranks and listing top labels, without sorting.

Each kernel runs on one thread, without the interpreter's lock, and `evaluate` runs several blocks at once. Parallel
kernels that alternate with a parallel matrix product were three to ten times slower (on two shared cores), because the
idle threads of one keep the CPU busy while those of the other work.
"""

from __future__ import annotations

import numpy as np

from vsenumba.kernels.compiler import kernel

# Status of an image in `count_at_least`.
FINE, NOT_FINITE, TEST_LABEL_EXCLUDED = 0, 1, 2


@kernel
def count_at_least(scores, rows, test_indptr, test_labels, excluded_indptr, excluded_labels, counts, status):
    """Count the candidates that score at least as high as each test label.

    Candidates are all labels except the excluded.

    `vsenumba.evaluation.ranks.ranks_of` turns the counts into ranks. The counters have 32 bits: twice as many fit into
    a register of the CPU as with 64 bits, which makes counting three times as fast.

    Parameters
    ----------
    scores : (b, L) float32
        Scores of all labels for b images.
    rows : (b,) int64
        Rows of these images in the excluded labels.
    test_indptr : (b + 1,) int64
        Where each image's test labels begin.
    test_labels : int32
        Columns of the test labels.
    excluded_indptr : (n + 1,) int64
        Where the excluded labels of every row begin.
    excluded_labels : int32
        Columns of the excluded labels.
    counts : int64
        Output: one count for each test label, in the order of `test_labels`. The label itself counts too.
    status : (b,) int64
        Output: `FINE`; `NOT_FINITE` if a score of the image is NaN or infinite; or `TEST_LABEL_EXCLUDED`.
    """
    n, n_labels = scores.shape
    for i in range(n):
        finite = np.int32(0)
        for a in range(n_labels):
            finite = np.int32(finite + np.int32(abs(scores[i, a]) < np.inf))
        status[i] = FINE if finite == n_labels else NOT_FINITE
        for p in range(test_indptr[i], test_indptr[i + 1]):
            threshold = scores[i, test_labels[p]]
            count = np.int32(0)
            for a in range(n_labels):
                count = np.int32(count + np.int32(scores[i, a] >= threshold))
            for e in range(excluded_indptr[rows[i]], excluded_indptr[rows[i] + 1]):
                count -= scores[i, excluded_labels[e]] >= threshold
                if excluded_labels[e] == test_labels[p]:
                    status[i] = TEST_LABEL_EXCLUDED
            counts[p] = count


@kernel
def list_top(scores, rows, excluded_indptr, excluded_labels, top, counts):
    """List the best-scoring labels of each image, without the excluded labels.

    Parameters
    ----------
    scores : (b, L) float32
        Scores of all labels for b images.
    rows : (b,) int64
        Rows of these images in the excluded labels.
    excluded_indptr : (n + 1,) int64
        Where the excluded labels of every row begin.
    excluded_labels : int32
        Columns of the excluded labels, ascending within a row.
    top : (b, k) int64
        Output: label columns, best first. Places beyond the number of candidates keep their old values.
    counts : (b, k) int64
        Output: for each listed label, the number of listed labels that score at least as high, including itself. A
        count below k is the exact number among all candidates.
    """
    n, n_labels = scores.shape
    k = top.shape[1]
    for i in range(n):
        e, end = excluded_indptr[rows[i]], excluded_indptr[rows[i] + 1]
        count = 0
        for a in range(n_labels):
            if e < end and excluded_labels[e] == a:
                e += 1
            elif count < k or scores[i, a] > scores[i, top[i, k - 1]]:
                # Insertion sort is fast here, because few labels get into the list once it is full of good ones.
                slot = min(count, k - 1)
                while slot > 0 and scores[i, a] > scores[i, top[i, slot - 1]]:
                    top[i, slot] = top[i, slot - 1]
                    slot -= 1
                top[i, slot] = a
                count = min(count + 1, k)
        for slot in range(count - 1, -1, -1):
            tied = slot < count - 1 and scores[i, top[i, slot]] == scores[i, top[i, slot + 1]]
            counts[i, slot] = counts[i, slot + 1] if tied else slot + 1
