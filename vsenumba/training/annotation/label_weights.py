"""Weights between labels in closed form, each label on those that say most of it: EASE at any number of labels.

EASE (Steck, WWW 2019) predicts every label by a ridge regression on all others, which takes a matrix between all
labels and its inverse. Here each label has a regression on the labels chosen for it: a small matrix each, one after
another, solved by conjugate gradients. What is chosen are labels that occur with it, by ``n_ab / sqrt(n_a + l2)``, and
where these are few, labels that occur with those that do, as EASE's negative weights between labels that exclude each
other matter too. How many are chosen grows with how often a label occurs: what is frequent depends on much.
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

# How many neighbours a label has at the least and at the most, as shares of the mean.
_FEWEST, _MOST = 0.25, 8
# Labels that a thread takes at a time.
_AT_ONCE = 256

# Of float32's 7 digits a solution loses as many as this has zeros.
_LEAST_CONDITION = 1e-9


# How often labels occur together, and what that product works in; and the weights, by columns and by rows.
_BYTES_PER_PAIR, _BYTES_PER_WEIGHT = 20, 40


def local_weight_bytes(data: AnnotationSet, max_neighbours: int) -> int:
    """Return how many bytes `local_weights` takes at the most."""
    # Pairs of labels that occur together: at most those within each image.
    together = min(int((data.labels_per_image.astype(np.int64) ** 2).sum()), data.n_labels**2)
    return _BYTES_PER_PAIR * together + _BYTES_PER_WEIGHT * data.n_labels * min(max_neighbours, data.n_labels)


def local_weights(
    data: AnnotationSet, decays: Sequence[float], max_neighbours: int, n_threads: int | None = None
) -> list[sp.csr_array]:
    """Solve for the weights of labels on some others each, for one weight decay after the other.

    Parameters
    ----------
    data : AnnotationSet
        What occurs together, X.
    decays : sequence of float
        Weight decays, above 0: each is added to the diagonal of XᵀX. Neighbours are chosen by the first.
    max_neighbours : int
        About how many weights a label has in the mean; a frequent label has up to 8 times as many.
    n_threads : int, optional
        Threads; None for all.

    Returns
    -------
    list of (L, L) float32 CSR array
        One for each weight decay: weight (a, b) is what label a of an image adds to the score of label b; none on the
        diagonal.

    Raises
    ------
    ArithmeticError
        If a weight decay is so small beside the counts that the weights would be rounding errors.
    """
    matrix = data.to_csr()
    # With offsets of 32 bits the product, which may take gigabytes, has indices of 32 bits too.
    offsets = matrix.indptr.astype(np.int32 if data.n_pairs < 1 << 31 else np.int64)
    matrix = sp.csr_array((matrix.data, matrix.indices, offsets), matrix.shape)
    # By columns, which are its rows too.
    counts = (matrix.T @ matrix).tocsc().T
    counts.sort_indices()
    del matrix
    solver = _Solver(counts, decays, max_neighbours)
    starts = range(0, data.n_labels, _AT_ONCE)
    with ThreadPoolExecutor(thread_count(n_threads)) as pool:
        parts = list(pool.map(solver.solve, starts))
    del counts, solver  # which are the most of it
    return [_as_weights([part[i] for part in parts], data.n_labels) for i in range(len(decays))]


def _as_weights(parts: Sequence[sp.csr_array], n_labels: int) -> sp.csr_array:
    """Return the weights as one matrix, of parts that hold them column by column."""
    columns = sp.vstack(parts, format="csr") if parts else sp.csr_array((0, n_labels), dtype=np.float32)
    weights = columns.T.tocsr()
    weights.sort_indices()
    return weights


class _Solver:
    """Solves for the weights of one label after another; threads share it.

    Parameters
    ----------
    counts : (L, L) float32 CSR array
        How often labels occur together, the diagonal included.
    decays, max_neighbours
        As in `local_weights`.
    """

    def __init__(self, counts: sp.csr_array, decays: Sequence[float], max_neighbours: int) -> None:
        self._n_labels = counts.shape[0]
        # Of 10 million pairs they take hundreds of megabytes: no copies where none is needed.
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
        """Return, for each decay, some labels' weights, (labels, L): row i has those of label ``start + i``."""
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
        """Return the labels that a label is to depend on, rising, and how often they occur with it."""
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
        """Return up to `most` labels, at least one, that occur with those that occur with a label, but not with it."""
        n = walk_two_steps(self._indptr, self._indices, self._values, self._steps, label, sums, reached)
        found = reached[:n].copy()
        strength = sums[found] * self._scale[found]
        sums[found] = 0
        return found[np.argpartition(-strength, most - 1)[:most]] if n > most else found
