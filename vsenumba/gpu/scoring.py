"""Scores and ranks on a GPU: dot products of vectors, weights between labels, and counts of labels by score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.gpu.backend import SIMULATED, cuda, require_card
from vsenumba.gpu.group import LANES, count_over, highest, lane, lowest_over, together
from vsenumba.gpu.layout import Data
from vsenumba.gpu.memory import check_fits, to_card, to_host, xp
from vsenumba.kernels.gate import below, segments

# The maximum number of scores on the GPU at a time, and of groups that work on them.
_CELLS = 1 << 26
_MOST_GROUPS = 3 if SIMULATED else 1 << 14

# The status of an image, as in `vsenumba.evaluation.counting.count_at_least`.
_FINE, _NOT_FINITE, _TEST_LABEL_EXCLUDED = 0, 1, 2


class Block(NamedTuple):
    """The scores of some images, (b, L) float32, with their rows, their test labels in CSR form, and the counts."""

    scores: Any
    rows: Any
    offsets: Any
    labels: Any
    counts: Any
    status: Any


class Weights(NamedTuple):
    """Sparse weights between labels in CSR form, and the factor that multiplies them."""

    indptr: Any
    targets: Any
    values: Any
    strength: Any


@cuda.jit
def add_weights(block, known, weights):
    """Add the weights of each image's known labels to its scores; one group per image."""
    for i in range(cuda.blockIdx.x, block.rows.shape[0], cuda.gridDim.x):
        for j in range(known.indptr[block.rows[i]], known.indptr[block.rows[i] + 1]):
            label = known.indices[j]
            # The targets of one label are all different, so no two lanes write the same score.
            for w in range(weights.indptr[label] + lane(), weights.indptr[label + 1], LANES):
                block.scores[i, weights.targets[w]] += weights.strength * weights.values[w]
            together()


@cuda.jit
def count_on_card(block, excluded):
    """Count labels like `vsenumba.evaluation.counting.count_at_least`; one group per image."""
    for i in range(cuda.blockIdx.x, block.rows.shape[0], cuda.gridDim.x):
        n_labels = block.scores.shape[1]
        begin, end = excluded.indptr[block.rows[i]], excluded.indptr[block.rows[i] + 1]
        odd, both = 0, 0
        for a in range(lane(), n_labels, LANES):
            odd += not abs(block.scores[i, a]) < np.inf
        for p in range(block.offsets[i], block.offsets[i + 1]):
            threshold, n = block.scores[i, block.labels[p]], 0
            for a in range(lane(), n_labels, LANES):
                n += block.scores[i, a] >= threshold
            for e in range(begin + lane(), end, LANES):
                n -= block.scores[i, excluded.indices[e]] >= threshold
                both += excluded.indices[e] == block.labels[p]
            n = count_over(n)
            if lane() == 0:
                block.counts[p] = n
        odd, both = count_over(odd), count_over(both)
        if lane() == 0:
            block.status[i] = _TEST_LABEL_EXCLUDED if both > 0 else _NOT_FINITE if odd > 0 else _FINE


@cuda.jit
def leave_out(block, excluded):
    """Set the scores of each image's excluded labels to minus infinity; one group per image."""
    for i in range(cuda.blockIdx.x, block.rows.shape[0], cuda.gridDim.x):
        for e in range(excluded.indptr[block.rows[i]] + lane(), excluded.indptr[block.rows[i] + 1], LANES):
            block.scores[i, excluded.indices[e]] = -np.inf


@cuda.jit
def choose_on_card(best, floor):
    """Choose labels like `vsenumba.kernels.top_k.top_k`; a group finds the labels of an image one by one."""
    for i in range(cuda.blockIdx.x, best.scores.shape[0], cuda.gridDim.x):
        n_labels = best.scores.shape[1]
        first_odd = n_labels
        for a in range(lane(), n_labels, LANES):
            if not best.scores[i, a] < np.inf:
                first_odd = min(first_odd, a)
        first_odd = lowest_over(first_odd)
        if lane() == 0:
            best.odd[i] = first_odd if first_odd < n_labels else -1
        before, place_before, goes_on = np.float32(np.inf), -1, first_odd == n_labels
        for slot in range(best.columns.shape[1]):
            top, place = np.float32(floor), n_labels
            for a in range(lane(), n_labels, LANES):
                score = best.scores[i, a]
                comes_later = score < before or (score == before and a > place_before)
                if goes_on and comes_later and score > top:
                    top, place = score, a
            before = highest(top)
            place_before = lowest_over(place if top == before else n_labels)
            goes_on = goes_on and place_before < n_labels
            if lane() == 0:
                best.columns[i, slot] = place_before if goes_on else -1
                best.values[i, slot] = before if goes_on else -np.inf
        if lane() == 0 and first_odd < n_labels:
            best.values[i, 0] = best.scores[i, first_odd]


class Best(NamedTuple):
    """The scores of some images, (b, L) float32, with the best columns, their values, and the first bad score.

    A bad score is NaN or infinite. An image with one gets no columns, and its first value is that score.
    """

    scores: Any
    columns: Any
    values: Any
    odd: Any


class CardScores:
    """Compute the scores of all labels on the GPU, from products of vectors and weights between labels.

    Parameters
    ----------
    vectors : callable
        A function that returns the vectors of some rows of `known`, (b, k) float32.
    label_factors : (L, k) float32 array
        The vectors of the labels.
    weights : (L, L) CSR array or None
        The weights between labels, which are added to the products.
    strength : float
        The factor of the weights.
    known : AnnotationSet
        The images with their known labels.

    Raises
    ------
    MemoryLimitError
        If the arrays do not fit into the GPU's memory.
    """

    def __init__(
        self,
        vectors: Callable[[np.ndarray], np.ndarray],
        label_factors: np.ndarray,
        weights: sp.csr_array | None,
        strength: float,
        known: AnnotationSet,
    ) -> None:
        require_card()
        n_labels = len(label_factors)
        self.images_at_once = max(1, _CELLS // n_labels)
        of_weights = 0 if weights is None else weights.data.nbytes + weights.indices.nbytes + weights.indptr.nbytes
        block = 4 * n_labels * min(self.images_at_once, known.n_images)
        needed = label_factors.nbytes + of_weights + 2 * (known.indptr.nbytes + known.indices.nbytes) + block
        check_fits(needed, f"ranking {n_labels:,} labels", 'use device="cpu"')
        self._vectors = vectors
        self._factors = to_card(np.ascontiguousarray(label_factors, np.float32))
        self._known = pairs_to_card("the known labels", known.indptr, known.indices, n_labels)
        self._weights = None
        if weights is not None:
            self._weights = Weights(
                to_card(weights.indptr.astype(np.int64)), to_card(weights.indices), to_card(weights.data),
                np.float32(strength),
            )  # fmt: skip

    def counter(self, excluded: tuple[np.ndarray, np.ndarray]) -> CardCounter:
        """Return a `CardCounter` that ranks labels by these scores."""
        return CardCounter(self, excluded)

    def chooser(self, settled: Sequence[tuple[np.ndarray, np.ndarray]], left_out: np.ndarray) -> CardChooser:
        """Return a `CardChooser` that chooses the best labels by these scores."""
        return CardChooser(self, settled, left_out, len(self._factors))

    def block(self, rows: np.ndarray, offsets: np.ndarray, labels: np.ndarray) -> Block:
        """Return the scores of some images, with their test labels if they have any."""
        vectors = to_card(np.ascontiguousarray(self._vectors(rows), np.float32))
        block = Block(
            xp.matmul(vectors, self._factors.T), to_card(rows), to_card(offsets), to_card(labels),
            xp.zeros(len(labels), np.int64), xp.zeros(len(rows), np.int64),
        )  # fmt: skip
        if self._weights is not None:
            add_weights[groups_for(rows), LANES](block, self._known, self._weights)
        return block


def pairs_to_card(name: str, indptr: np.ndarray, indices: np.ndarray, n_labels: int) -> Data:
    """Check that pairs in CSR form are in range, and return a copy on the GPU."""
    indices = below(f"the indices of {name}", indices, n_labels)
    return Data(to_card(segments(f"the indptr of {name}", indptr, len(indices))), to_card(indices))


def groups_for(rows: np.ndarray) -> int:
    """Return the number of groups that work on the images."""
    return max(min(len(rows), _MOST_GROUPS), 1)


class CardCounter:
    """Rank the labels of a model for blocks of images; see `vsenumba.evaluation.scorer.Counter`.

    Parameters
    ----------
    scores : CardScores
        The scores.
    excluded : (n + 1,) int64 array, int32 array
        The labels of each image that are not ranked, in CSR form.
    """

    def __init__(self, scores: CardScores, excluded: tuple[np.ndarray, np.ndarray]) -> None:
        self.images_at_once = scores.images_at_once
        self._scores = scores
        self._excluded = Data(*(to_card(array) for array in excluded))

    def count(
        self, rows: np.ndarray, offsets: np.ndarray, labels: np.ndarray, counts: np.ndarray, status: np.ndarray
    ) -> None:
        """Count the labels that score at least as high as each test label; see `count_at_least` for the arguments."""
        first, last = int(offsets[0]), int(offsets[-1])
        block = self._scores.block(rows, offsets - first, labels[first:last])
        count_on_card[groups_for(rows), LANES](block, self._excluded)
        counts[first:last], status[:] = to_host(block.counts), to_host(block.status)


class CardChooser:
    """Choose the best labels of images; see `vsenumba.models.suggesting.best_labels`.

    Parameters
    ----------
    scores : CardScores
        The scores.
    settled : sequence of (array, array)
        Pairs in CSR form that are never chosen.
    left_out : (n,) int64 array
        Labels that are never chosen for any image.
    n_labels : int
        The number of labels.
    """

    def __init__(
        self, scores: CardScores, settled: Sequence[tuple[np.ndarray, np.ndarray]], left_out: np.ndarray, n_labels: int
    ) -> None:
        self.images_at_once = scores.images_at_once
        self._scores = scores
        self._settled = [pairs_to_card("the known labels", *pairs, n_labels) for pairs in settled]
        self._left_out = to_card(left_out)

    def choose(self, rows: np.ndarray, floor: float, columns: np.ndarray, values: np.ndarray, odd: np.ndarray) -> None:
        """Choose the best labels of some images; see `vsenumba.kernels.top_k.top_k` for the arguments."""
        block = self._scores.block(rows, np.zeros(len(rows) + 1, np.int64), np.zeros(0, np.int32))
        for pairs in self._settled:
            leave_out[groups_for(rows), LANES](block, pairs)
        block.scores[:, self._left_out] = -np.inf
        best = Best(block.scores, *(xp.zeros(one.shape, one.dtype) for one in (columns, values, odd)))
        choose_on_card[groups_for(rows), LANES](best, np.float32(floor))
        columns[...], values[...], odd[...] = to_host(best.columns), to_host(best.values), to_host(best.odd)
