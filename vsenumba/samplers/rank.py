"""The rank sampler: draw labels by their exact rank for the image (VSE-ens, eq. 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.dot import dot, dots
from vsenumba.kernels.membership import contains
from vsenumba.samplers.rank_law import check_lam, draw_rank, rank_law, rank_steps
from vsenumba.samplers.sampler import MAX_REJECTIONS, Sampler, draw


class RankState(NamedTuple):
    """The scale and the mass of the rank law, and work space for each shard: a row of scores and a row of labels."""

    scale: float
    mass: float
    scores: np.ndarray
    order: np.ndarray


@dataclass(frozen=True, kw_only=True)
class RankSampler(Sampler):
    """Draw labels by exact rank: ``p(a | i) ∝ exp(-rank_i(a) / (lam L))``, with rank 0 for the best-scoring label.

    Ranks are among all L labels. Known labels have ranks too, and are rejected when drawn. Labels with equal scores
    rank in their order. A draw scores and partially sorts all labels, in O(L k). This is the law that the adaptive
    sampler approximates; it is too slow for large sets.

    Parameters
    ----------
    lam : float, default 0.05
        λ as a fraction of the number of labels, above 0. Small values are greedy, large values are uniform.

    References
    ----------
    Guo et al., "VSE-ens: Visual-Semantic Embeddings with Efficient Negative Sampling", AAAI 2018, eq. 5.

    Examples
    --------
    >>> import numpy as np
    >>> from vsenumba import RankSampler
    >>> RankSampler(lam=0.5).law(np.array([[1.0]]), np.array([[3.0], [2.0], [1.0]])).round(3)
    array([[0.563, 0.289, 0.148]])
    """

    lam: float = 0.05
    name: ClassVar[str] = "rank"

    def __post_init__(self) -> None:
        check_lam(self.lam)

    def state(self, label_counts: np.ndarray, n_factors: int, n_shards: int) -> RankState:
        """Return the state; see `Sampler.state`."""
        shape = (n_shards, len(label_counts))
        _, scale, mass = rank_steps("geometric", self.lam, shape[1])
        return RankState(scale, mass, np.zeros(shape, np.float32), np.zeros(shape, np.int32))

    def _weights(
        self, image_factors: np.ndarray, label_factors: np.ndarray, own: Any, label_counts: np.ndarray
    ) -> np.ndarray:
        n_labels = len(label_factors)
        by_rank = rank_law(self.lam, n_labels)
        weights = np.zeros((len(image_factors), n_labels))
        for i, image in enumerate(image_factors):
            scores = dots(image, label_factors)
            weights[i, np.argsort(-scores, kind="stable")] = by_rank
        return weights


@draw.implement(RankState)
def _draw(sampler, states, shard, image, labels, indices, begin, end, positive):
    scores, order = sampler.scores[shard], sampler.order[shard]
    n_labels = scores.shape[0]
    for a in range(n_labels):
        scores[a] = dot(image, labels, a)
        order[a] = a
    for trial in range(MAX_REJECTIONS):
        rank = draw_rank(states, shard, 1, sampler.scale, sampler.mass, n_labels)
        label = _select(scores, order, rank)
        if not contains(indices, begin, end, label):
            return label, trial + 1
    return np.int64(-1), MAX_REJECTIONS


@kernel
def _before(scores, a, b):
    return scores[a] > scores[b] or (scores[a] == scores[b] and a < b)


@kernel
def _select(scores, order, rank):
    """Return the label with a given rank by Hoare's quickselect, which partially sorts `order`."""
    low, high = 0, order.shape[0] - 1
    while low < high:
        # Not a random pivot: the sequence of random numbers must not depend on the search.
        pivot = order[(low + high) >> 1]
        i, j = low, high
        while i <= j:
            while _before(scores, order[i], pivot):
                i += 1
            while _before(scores, pivot, order[j]):
                j -= 1
            if i <= j:
                order[i], order[j] = order[j], order[i]
                i += 1
                j -= 1
        if rank <= j:
            high = j
        elif rank >= i:
            low = i
        else:
            low = high = rank
    return np.int64(order[rank])
