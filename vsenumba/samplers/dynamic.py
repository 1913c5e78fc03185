"""The dynamic sampler: the best-scoring of a few uniform draws (Zhang et al., SIGIR 2013)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from vsenumba.kernels.dot import dots
from vsenumba.kernels.membership import contains
from vsenumba.kernels.prefetch import prefetch_row
from vsenumba.kernels.random import next_below
from vsenumba.samplers.best_of import best_drawn, best_of_law, check_candidates
from vsenumba.samplers.sampler import MAX_REJECTIONS, Sampler, draw


class DynamicState(NamedTuple):
    """The state: the number of labels, and the candidates of each shard, (n_shards, n_candidates)."""

    n_labels: int
    drawn: np.ndarray


@dataclass(frozen=True, kw_only=True)
class DynamicSampler(Sampler):
    """Draw `n_candidates` labels uniformly, with replacement, and return the one with the highest score.

    Let N be the number of labels that the image does not have. If B of these score below a label, and T score the same
    (including itself), the label's probability with c candidates is ``(((B + T) / N) ** c - (B / N) ** c) / T``. A
    candidate whose draw was skipped does not count, so c is actually a binomial variable. This matters only for images
    with nearly all labels.

    Parameters
    ----------
    n_candidates : int, optional
        Number of candidates, from 1 to 100,000; 1 is the uniform sampler. The default is 8. None chooses (√L - 8) / 2
        for L labels, rounded down, at least 1 and at most 64.

    References
    ----------
    Zhang et al., "Optimizing Top-N Collaborative Filtering via Dynamic Negative Item Sampling", SIGIR 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from vsenumba import DynamicSampler
    >>> DynamicSampler(n_candidates=2).law(np.array([[1.0]]), np.array([[3.0], [2.0], [1.0]])).round(3)
    array([[0.556, 0.333, 0.111]])
    """

    n_candidates: int | None = 8
    name: ClassVar[str] = "dynamic"

    def __post_init__(self) -> None:
        check_candidates(self.n_candidates)

    def state(self, label_counts: np.ndarray, n_factors: int, n_shards: int) -> DynamicState:
        """Return the state; see `Sampler.state`."""
        n_labels = len(label_counts)
        return DynamicState(n_labels, np.zeros((n_shards, self.candidates_for(n_labels)), np.int64))

    def candidates_for(self, n_labels: int) -> int:
        """Return `n_candidates`, or its default for a number of labels."""
        if self.n_candidates is None:
            return min(max((math.isqrt(n_labels) - 8) // 2, 1), 64)
        return int(self.n_candidates)

    def _skips(
        self, image_factors: np.ndarray, label_factors: np.ndarray, own: Any, label_counts: np.ndarray
    ) -> np.ndarray:
        return self._candidate_skips(own) ** self.candidates_for(len(label_factors))

    def _candidate_skips(self, own: Any) -> np.ndarray:
        return (np.diff(own.indptr) / own.shape[1]) ** MAX_REJECTIONS

    def _weights(
        self, image_factors: np.ndarray, label_factors: np.ndarray, own: Any, label_counts: np.ndarray
    ) -> np.ndarray:
        skips = self._candidate_skips(own)
        weights = np.zeros(own.shape)
        for i, image in enumerate(image_factors):
            others = np.setdiff1d(np.arange(len(label_factors)), own.indices[own.indptr[i] : own.indptr[i + 1]])
            if len(others) > 0:
                scores = dots(image, label_factors)[others]
                law = np.full(len(others), 1 / len(others))
                weights[i, others] = best_of_law(law, scores, self.candidates_for(len(label_factors)), skips[i])
        return weights


@draw.implement(DynamicState)
def _draw(sampler, states, shard, image, labels, indices, begin, end, positive):
    trials = 0
    for c in range(sampler.drawn.shape[1]):
        sampler.drawn[shard, c] = -1
        for _ in range(MAX_REJECTIONS):
            trials += 1
            label = next_below(states, shard, sampler.n_labels)
            if not contains(indices, begin, end, label):
                sampler.drawn[shard, c] = label
                prefetch_row(labels, label)
                break
    return best_drawn(image, labels, sampler.drawn[shard]), trials
