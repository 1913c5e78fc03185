"""Counting ranks and listing top labels: nothing is sorted.

The kernels run on one thread each, without the interpreter's lock: `evaluate` runs several blocks at once.
Parallel kernels in turns with a parallel matrix product were measured three to ten times slower, on two
cores that others used too, for the threads of the one spin while those of the other work.
"""

from __future__ import annotations

import numpy as np

from vsenumba.kernels.compiler import kernel

# What `count_at_least` says about an image.
FINE, NOT_FINITE, TEST_LABEL_EXCLUDED = 0, 1, 2


@kernel
def count_at_least(scores, rows, test_indptr, test_labels, excluded_indptr, excluded_labels, counts, status):
    """Count, for every test label, the candidates that score at least as high, all labels but the excluded.

    `vsenumba.evaluation.ranks.ranks_of` makes ranks of the counts. The counts are of 32 bits: twice as many fit in a
    register of the processor as of 64, and with them counting became three times as fast.

    Parameters
    ----------
    scores : (b, L) float32
        Scores of all labels for b images.
    rows : (b,) int64
        Where the images stand in what is excluded.
    test_indptr : (b + 1,) int64
        Where each image's test labels begin.
    excluded_indptr : (n + 1,) int64
        Where the excluded labels of every row begin.
    test_labels, excluded_labels : int32
        Label columns.
    counts : int64
        Written: one per test label, itself among those counted, where it stands in `test_labels`.
    status : (b,) int64
        Written: `FINE`; `NOT_FINITE` where a score of the image is NaN or infinite; `TEST_LABEL_EXCLUDED`.
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
    """List the best-scoring labels of each image, excluded ones left out.

    Parameters
    ----------
    scores : (b, L) float32
        Scores of all labels for b images.
    rows : (b,) int64
        Where the images stand in what is excluded.
    excluded_indptr : (n + 1,) int64
        Where the excluded labels of every row begin.
    excluded_labels : int32
        Label columns, rising within a row.
    top : (b, k) int64
        Written: label columns, the best first; left as it is where an image has fewer than k candidates.
    counts : (b, k) int64
        Written: of each label listed, how many of the list score at least as high, itself included. Where that is less
        than k, so many candidates do.
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
                # Insertion: few labels get this far, for a list of the best so far soon turns most away.
                slot = min(count, k - 1)
                while slot > 0 and scores[i, a] > scores[i, top[i, slot - 1]]:
                    top[i, slot] = top[i, slot - 1]
                    slot -= 1
                top[i, slot] = a
                count = min(count + 1, k)
        for slot in range(count - 1, -1, -1):
            tied = slot < count - 1 and scores[i, top[i, slot]] == scores[i, top[i, slot + 1]]
            counts[i, slot] = counts[i, slot + 1] if tied else slot + 1
