"""Weights between labels in closed form. Each label depends on a limited number of labels, so any number is possible.

EASE (Steck, WWW 2019) predicts every label by a ridge regression on all others. That needs a matrix between all labels,
and its inverse. Here each label has a regression on a few chosen labels, with a small matrix of its own. The small
systems are solved one after another by conjugate gradients.

The chosen labels are those that occur together with the label, in the order of ``n_ab / sqrt(n_a + l2)``. If there are
too few, they are joined by labels that occur together with these, because EASE's negative weights between labels that
exclude each other matter too. A frequent label gets more neighbours, because it depends on more labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import scipy.sparse as sp

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.kernels.cooccurrence import gather_square, walk_two_steps
from vsenumba.kernels.ridge import solve_ridge
from vsenumba.kernels.threads import thread_count

# The least and the largest number of neighbours of a label, as multiples of the mean.
_FEWEST, _MOST = 0.25, 8
# The number of labels that a thread processes at a time.
_AT_ONCE = 256

# With a reciprocal condition number of 1e-c, a solution loses c of the 7 digits of float32.
_LEAST_CONDITION = 1e-9

# Bytes per pair of labels that occur together, for the counts and their product. Bytes per weight, for the matrix by
# columns and by rows.
_BYTES_PER_PAIR, _BYTES_PER_WEIGHT = 20, 40


def local_weight_bytes(data: AnnotationSet, max_neighbours: int) -> int:
    """Return the largest number of bytes that `local_weights` uses."""
    # The number of pairs of labels that occur together is at most the sum over all images.
    together = min(int((data.labels_per_image.astype(np.int64) ** 2).sum()), data.n_labels**2)
    return _BYTES_PER_PAIR * together + _BYTES_PER_WEIGHT * data.n_labels * min(max_neighbours, data.n_labels)


def local_weights(
    data: AnnotationSet, decays: Sequence[float], max_neighbours: int, n_threads: int | None = None
) -> list[sp.csr_array]:
    """Compute the weights of each label on some other labels, for one weight decay after another.

    Parameters
    ----------
    data : AnnotationSet
        The images and labels, with the binary matrix X.
    decays : sequence of float
        The weight decays, above 0. Each is added to the diagonal of XᵀX. The first one determines the neighbours.
    max_neighbours : int
        About how many weights a label has on average. A frequent label has up to 8 times as many.
    n_threads : int, optional
        The number of threads; None for all.

    Returns
    -------
    list of (L, L) float32 CSR array
        One array per weight decay. Weight (a, b) is added to the score of label b if an image has label a. The
        diagonal is empty.

    Raises
    ------
    ArithmeticError
        If a weight decay is so small compared with the counts that the weights would be rounding errors.

    References
    ----------
    Steck, H. (2019). Embarrassingly shallow autoencoders for sparse data. WWW.
    """
    matrix = data.to_csr()
    # With 32-bit offsets, the indices of the product have 32 bits too; the product may take gigabytes.
    offsets = matrix.indptr.astype(np.int32 if data.n_pairs < 1 << 31 else np.int64)
    matrix = sp.csr_array((matrix.data, matrix.indices, offsets), matrix.shape)
    # The matrix is symmetric, so its columns are also its rows.
    counts = (matrix.T @ matrix).tocsc().T
    counts.sort_indices()
    del matrix
    solver = _Solver(counts, decays, max_neighbours)
    starts = range(0, data.n_labels, _AT_ONCE)
    with ThreadPoolExecutor(thread_count(n_threads)) as pool:
        parts = list(pool.map(solver.solve, starts))
    del counts, solver  # these take most of the memory
    return [_as_weights([part[i] for part in parts], data.n_labels) for i in range(len(decays))]


def _as_weights(parts: Sequence[sp.csr_array], n_labels: int) -> sp.csr_array:
    """Join parts that have the weights column by column into one matrix."""
    columns = sp.vstack(parts, format="csr") if parts else sp.csr_array((0, n_labels), dtype=np.float32)
    weights = columns.T.tocsr()
    weights.sort_indices()
    return weights


class _Solver:
    """Compute the weights of one label after another. All threads share this object.

    Parameters
    ----------
    counts : (L, L) float32 CSR array
        How often labels occur together, including the diagonal.
    decays, max_neighbours
        As in `local_weights`.
    """

    def __init__(self, counts: sp.csr_array, decays: Sequence[float], max_neighbours: int) -> None:
        self._n_labels = counts.shape[0]
        # For 10 million pairs these arrays take hundreds of megabytes, so they are copied only if necessary.
        self._indptr = counts.indptr.astype(np.int64, copy=False)
        self._indices = counts.indices.astype(np.int32, copy=False)
        self._values, self._decays = counts.data, np.array(decays, np.float32)
        often = counts.diagonal().astype(np.float64)
        norm = np.asarray(counts.sum(axis=0)).max(initial=0.0)
        self._condition = min(decays) / (norm + min(decays))
        if self._condition < _LEAST_CONDITION:
            raise self._fault()
        self._steps = 1 / (often + decays[0])
        self._scale = np.sqrt(self._steps)
        share = often / max(often.mean(), 1e-30) if self._n_labels else often
        self._most = np.ceil(max_neighbours * np.clip(share, _FEWEST, _MOST)).astype(np.int64)

    def _fault(self) -> ArithmeticError:
        return ArithmeticError(f"the reciprocal condition of the labels' matrix is {self._condition:.1g}")

    def solve(self, start: int) -> list[sp.csr_array]:
        """Return the weights of some labels for each decay, (labels, L); row i belongs to label ``start + i``."""
        n_labels = self._n_labels
        place, sums, reached = np.full(n_labels, -1, np.int32), np.zeros(n_labels), np.zeros(n_labels, np.int32)
        sources, ends = [np.zeros(0, np.int32)], [0]
        weights: list[list[np.ndarray]] = [[np.zeros(0, np.float32)] for _ in self._decays]
        for label in range(start, min(start + _AT_ONCE, n_labels)):
            chosen, target = self._chosen(label, sums, reached)
            n = len(chosen)
            square, work = np.empty((n, n), np.float32), np.empty((3, n), np.float32)
            gather_square(self._indptr, self._indices, self._values, chosen, place, square)
            for decay, solved in zip(self._decays, weights, strict=True):
                solution = np.empty(n, np.float32)
                if not solve_ridge(square, decay, target, solution, work):
                    raise self._fault()
                solved.append(solution)
            sources.append(chosen)
            ends.append(ends[-1] + n)
        shape = (len(ends) - 1, n_labels)
        return [
            sp.csr_array((np.concatenate(solved), np.concatenate(sources), np.array(ends)), shape) for solved in weights
        ]

    def _chosen(self, label: int, sums: np.ndarray, reached: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the neighbours of a label in the order of their columns, and how often they occur with the label."""
        own = slice(self._indptr[label], self._indptr[label + 1])
        others, together = self._indices[own], self._values[own]
        others, together = others[others != label], together[others != label]
        most = int(self._most[label])
        if len(others) > most:
            best = np.argpartition(-together * self._scale[others], most - 1)[:most]
            others, together = others[best], together[best]
        elif 0 < len(others) < most:
            more = self._two_steps_away(label, most - len(others), sums, reached)
            others = np.concatenate([others, more])
            together = np.concatenate([together, np.zeros(len(more), np.float32)])
        order = np.argsort(others)
        return others[order], together[order]

    def _two_steps_away(self, label: int, most: int, sums: np.ndarray, reached: np.ndarray) -> np.ndarray:
        """Return 1 to `most` labels that occur with the neighbours of a label, but not with the label itself."""
        n = walk_two_steps(self._indptr, self._indices, self._values, self._steps, label, sums, reached)
        found = reached[:n].copy()
        strength = sums[found] * self._scale[found]
        sums[found] = 0
        return found[np.argpartition(-strength, most - 1)[:most]] if n > most else found
