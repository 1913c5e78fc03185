"""Weights between labels in closed form, each label on those that say most of it: EASE at any number of labels.

EASE (Steck, WWW 2019) predicts every label by a ridge regression on all others, which takes a matrix between all labels
and its inverse. Here each label has a regression on the labels chosen for it, which is exact for these: a small matrix
each, one after another. What is chosen are labels that occur with it, by ``n_ab / sqrt(n_a + l2)``, and where these are
few, labels that occur with those that do, as EASE's negative weights between labels that exclude each other matter too.
How many are chosen grows with how often a label occurs: what is frequent depends on much.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import scipy.sparse as sp
from scipy.linalg import lapack

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.kernels.cooccurrence import gather_square, walk_two_steps
from vsenumba.kernels.threads import one_blas_thread, thread_count

# How many neighbours a label has at the least and at the most, as shares of the mean.
_FEWEST, _MOST = 0.25, 8
# Labels that a thread takes at a time.
_AT_ONCE = 256

# Of float64's 16 digits a solution loses as many as this has zeros; float32 weights should keep some.
LEAST_CONDITION = 1e-13


def local_weights(data: AnnotationSet, l2: float, max_neighbours: int, n_threads: int | None = None) -> sp.csr_array:
    """Solve for the weights of labels on some others each.

    Parameters
    ----------
    data : AnnotationSet
        What occurs together, X.
    l2 : float
        Weight decay, above 0: it is added to the diagonal of XᵀX.
    max_neighbours : int
        About how many weights a label has in the mean; a frequent label has up to 8 times as many.
    n_threads : int, optional
        Threads; None for all.

    Returns
    -------
    (L, L) float32 CSR array
        Weight (a, b) is what label a of an image adds to the score of label b; none on the diagonal.

    Raises
    ------
    ArithmeticError
        If `l2` is so small beside the counts that the weights would be rounding errors.
    """
    matrix = data.to_csr().astype(np.float32)
    counts = (matrix.T @ matrix).tocsr()
    counts.sort_indices()
    solver = _Solver(counts, l2, max_neighbours)
    starts = range(0, data.n_labels, _AT_ONCE)
    with one_blas_thread(), ThreadPoolExecutor(thread_count(n_threads)) as pool:
        parts = list(pool.map(solver.solve, starts))
    # Column by column, as they were solved.
    columns = sp.vstack(parts, format="csr") if parts else sp.csr_array((0, data.n_labels), dtype=np.float32)
    weights = columns.T.tocsr()
    weights.sort_indices()
    return weights


class _Solver:
    """Solves for the weights of one label after another; threads share it.

    Parameters
    ----------
    counts : (L, L) float32 CSR array
        How often labels occur together, the diagonal included.
    l2, max_neighbours
        As in `local_weights`.
    """

    def __init__(self, counts: sp.csr_array, l2: float, max_neighbours: int) -> None:
        self._n_labels = counts.shape[0]
        self._indptr, self._indices = counts.indptr.astype(np.int64), counts.indices.astype(np.int32)
        self._values, self._l2 = counts.data, l2
        often = counts.diagonal().astype(np.float64)
        norm = np.asarray(counts.sum(axis=0)).max(initial=0.0) + l2
        if l2 / norm < LEAST_CONDITION:
            raise ArithmeticError(f"the reciprocal condition of the labels' matrix is {l2 / norm:.1g}")
        self._steps = 1 / (often + l2)
        self._scale = np.sqrt(self._steps)
        share = often / max(often.mean(), 1e-30) if self._n_labels else often
        self._most = np.ceil(max_neighbours * np.clip(share, _FEWEST, _MOST)).astype(np.int64)

    def solve(self, start: int) -> sp.csr_array:
        """Return the weights of some labels from `start` on, (labels, L): row i has those of label ``start + i``."""
        n_labels = self._n_labels
        place, sums, reached = np.full(n_labels, -1, np.int32), np.zeros(n_labels), np.zeros(n_labels, np.int32)
        sources, weights, ends = [np.zeros(0, np.int32)], [np.zeros(0, np.float32)], [0]
        for label in range(start, min(start + _AT_ONCE, n_labels)):
            chosen, target = self._chosen(label, sums, reached)
            square = np.empty((len(chosen), len(chosen)))
            gather_square(self._indptr, self._indices, self._values, chosen, place, square)
            square[np.diag_indices_from(square)] += self._l2
            if len(chosen):
                # NumPy's own factorisation leaves other threads running. It is in rows: transposed it is in columns.
                factor = np.linalg.cholesky(square)
                target, _ = lapack.dpotrs(factor.T, target, lower=0, overwrite_b=1)
            sources.append(chosen)
            weights.append(target.astype(np.float32))
            ends.append(ends[-1] + len(chosen))
        return sp.csr_array(
            (np.concatenate(weights), np.concatenate(sources), np.array(ends)), (len(ends) - 1, n_labels)
        )

    def _chosen(self, label: int, sums: np.ndarray, reached: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the labels that a label is to depend on, rising, and how often they occur with it."""
        own = slice(self._indptr[label], self._indptr[label + 1])
        others, together = self._indices[own], self._values[own].astype(np.float64)
        others, together = others[others != label], together[others != label]
        most = int(self._most[label])
        if len(others) > most:
            best = np.argpartition(-together * self._scale[others], most - 1)[:most]
            others, together = others[best], together[best]
        elif 0 < len(others) < most:
            more = self._two_steps_away(label, most - len(others), sums, reached)
            others, together = np.concatenate([others, more]), np.concatenate([together, np.zeros(len(more))])
        order = np.argsort(others)
        return others[order], together[order]

    def _two_steps_away(self, label: int, most: int, sums: np.ndarray, reached: np.ndarray) -> np.ndarray:
        """Return up to `most` labels, at least one, that occur with those that occur with a label, but not with it."""
        n = walk_two_steps(self._indptr, self._indices, self._values, self._steps, label, sums, reached)
        found = reached[:n].copy()
        strength = sums[found] * self._scale[found]
        sums[found] = 0
        return found[np.argpartition(-strength, most - 1)[:most]] if n > most else found
