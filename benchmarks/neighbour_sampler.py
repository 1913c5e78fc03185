"""A rejected sampler, kept as evidence: it draws labels that often occur together with the image's labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple

import numpy as np
import scipy.sparse as sp

from vsenumba import AnnotationSet
from vsenumba.kernels.dot import dots
from vsenumba.kernels.membership import contains
from vsenumba.kernels.random import next_below, next_uniform
from vsenumba.samplers import MAX_REJECTIONS, Sampler, draw
from vsenumba.samplers.best_of import best_drawn, best_of_law
from vsenumba.samplers.popularity import alias_table
from vsenumba.samplers.sampler import own_share


class NeighbourState(NamedTuple):
    """An alias table of the neighbours of each label, the share of neighbours among the draws, and the candidates."""

    indptr: np.ndarray
    neighbours: np.ndarray
    keep: np.ndarray
    alias: np.ndarray
    share: float
    drawn: np.ndarray


@dataclass(frozen=True, kw_only=True)
class NeighbourSampler(Sampler):
    """Draw one of the image's labels, then a label that occurs with it, in O(1); return the best of several.

    A candidate has the law ``p(a | i) = (1 - share) / L + share / m_i · Σ_y n_ya^power / Σ_b n_yb^power``. Here y runs
    over the image's m_i labels, and n_ya is the number of training images that have both labels. If y never occurs with
    another label, any label is drawn instead. The image's known labels are rejected. The candidate with the highest
    score is the negative, as with the adaptive sampler.

    Parameters
    ----------
    n_candidates : int
        The number of candidates.
    share : float
        The probability, from 0 to 1, that a candidate is a neighbour rather than any label.
    power : float
        The power of the number of images in which two labels occur together.
    together : (L, L) sparse matrix
        The number of images in which two labels occur together, 0 on the diagonal; see `for_set`.
    """

    n_candidates: int = 1
    share: float = 0.5
    power: float = 1.0
    together: Any = field(default=None, repr=False, compare=False)
    name: ClassVar[str] = "neighbours"

    def for_set(self, data: AnnotationSet) -> NeighbourSampler:
        """Return the sampler for a training set."""
        pairs = data.to_csr().astype(np.float64)
        together = (pairs.T @ pairs).tolil()
        together.setdiag(0)
        together = sp.csr_array(together)
        together.eliminate_zeros()
        settings = {"n_candidates": self.n_candidates, "share": self.share, "power": self.power}
        return NeighbourSampler(**settings, together=together)

    def state(self, label_counts: np.ndarray, n_factors: int, n_shards: int) -> NeighbourState:
        """Return the state; see `Sampler.state`."""
        indptr, weights = self.together.indptr, self.together.data**self.power
        keep, alias = np.zeros(len(weights)), np.zeros(len(weights), np.int32)
        for begin, end in pairwise(indptr):
            if end > begin:
                keep[begin:end], alias[begin:end] = alias_table(weights[begin:end])
        drawn = np.zeros((n_shards, self.n_candidates), np.int64)
        neighbours = self.together.indices.astype(np.int32)
        return NeighbourState(indptr.astype(np.int64), neighbours, keep, alias, float(self.share), drawn)

    def _candidate_law(self, own: sp.csr_array) -> np.ndarray:
        weights = sp.csr_array(self.together) ** self.power
        totals = weights.sum(axis=1)
        by_label = weights.toarray() / np.where(totals > 0, totals, 1)[:, None]
        by_label[totals == 0] = 1 / len(by_label)
        labels_per_image = np.diff(own.indptr)[:, None]
        near = own.astype(bool).astype(np.float64) @ by_label / np.maximum(labels_per_image, 1)
        return (1 - self.share) / len(by_label) + self.share * np.where(labels_per_image > 0, near, 1 / len(by_label))

    def _skips(
        self, image_factors: np.ndarray, label_factors: np.ndarray, own: sp.csr_array, label_counts: np.ndarray
    ) -> np.ndarray:
        return own_share(own, self._candidate_law(own)) ** (MAX_REJECTIONS * self.n_candidates)

    def _weights(
        self, image_factors: np.ndarray, label_factors: np.ndarray, own: sp.csr_array, label_counts: np.ndarray
    ) -> np.ndarray:
        law = self._candidate_law(own)
        skips = own_share(own, law) ** MAX_REJECTIONS
        for i, image in enumerate(image_factors):
            law[i, own.indices[own.indptr[i] : own.indptr[i + 1]]] = 0
            if law[i].any():
                scores = dots(image, label_factors)
                law[i] = best_of_law(law[i] / law[i].sum(), scores, self.n_candidates, skips[i])
        return law


@draw.implement(NeighbourState)
def _draw(sampler, states, shard, image, labels, indices, begin, end, positive):
    trials = 0
    for c in range(sampler.drawn.shape[1]):
        sampler.drawn[shard, c] = -1
        for _ in range(MAX_REJECTIONS):
            trials += 1
            label = next_below(states, shard, labels.shape[0])
            if end > begin and next_uniform(states, shard) < sampler.share:
                own = indices[begin + next_below(states, shard, end - begin)]
                first, last = sampler.indptr[own], sampler.indptr[own + 1]
                if last > first:
                    place = next_below(states, shard, last - first)
                    if next_uniform(states, shard) >= sampler.keep[first + place]:
                        place = np.int64(sampler.alias[first + place])
                    label = np.int64(sampler.neighbours[first + place])
            if not contains(indices, begin, end, label):
                sampler.drawn[shard, c] = label
                break
    return best_drawn(image, labels, sampler.drawn[shard]), trials
