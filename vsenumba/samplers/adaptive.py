"""The adaptive sampler of VSE-ens: rank by one factor, picked by how much it says about the image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from vsenumba.errors import InputError
from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.membership import contains
from vsenumba.kernels.orders import refresh_orders
from vsenumba.kernels.random import next_below, next_uniform
from vsenumba.samplers.rank_law import check_lam, draw_rank, rank_law
from vsenumba.samplers.sampler import MAX_REJECTIONS, Sampler, draw

# So many factors are tried by rejection before a running sum over all of them settles the draw; on trained factors
# three tries are usual.
_FACTOR_TRIES = 16

# The refresh splits the factors into so many tasks, each with its own work space.
_TASKS = 8


class AdaptiveState(NamedTuple):
    """The rank orders of all factors, their spreads, the rank law's scale and mass; and the refresh's work space."""

    orders: np.ndarray
    spreads: np.ndarray
    scale: float
    mass: float
    keys: np.ndarray
    spare_keys: np.ndarray
    spare_orders: np.ndarray
    counts: np.ndarray


@dataclass(frozen=True, kw_only=True)
class AdaptiveSampler(Sampler):
    """Draw a factor that matters to the image, then a label that ranks high by that factor alone.

    ``p(a | i) = Σ_f p(f | i) p(a | i, f)`` with ``p(f | i) ∝ |v_if| σ_f``, σ_f the standard deviation of factor f
    over the labels, and ``p(a | i, f) ∝ exp(-rank_f(a) / (lam L))``, rank_f the position of a when the labels are
    sorted by ``sgn(v_if) v_af``, falling. Equal values stand in rising order of the labels where v_if < 0, in
    falling order where v_if > 0. If all ``|v_if| σ_f`` are 0, all labels score alike and are equally likely.

    Orders and spreads are as of the last refresh, so that a draw costs O(k) however many labels there are.

    Parameters
    ----------
    lam : float
        λ as a fraction of the number of labels; small is greedy, large is uniform.
    refresh_every : int, optional
        Draws between two refreshes; by default ``L ln L``, which makes the cost of sorting O(k) per draw.

    References
    ----------
    Guo et al., "VSE-ens: Visual-Semantic Embeddings with Efficient Negative Sampling", AAAI 2018, eqs. 6-8;
    Rendle & Freudenthaler, "Improving pairwise learning for item recommendation from implicit feedback", WSDM 2014.
    """

    lam: float = 0.05
    refresh_every: int | None = None
    name: ClassVar[str] = "adaptive"

    def __post_init__(self) -> None:
        check_lam(self.lam)
        every = self.refresh_every
        if every is not None and (int(every) != every or every < 1):
            raise InputError(f"refresh_every must be a whole number of at least 1 or None, not {every!r}")

    def state(self, label_counts: np.ndarray, n_factors: int, n_shards: int) -> AdaptiveState:
        """Return the state; see `Sampler.state`."""
        n_labels = len(label_counts)
        return AdaptiveState(
            orders=np.zeros((n_factors, n_labels), np.int32),
            spreads=np.zeros(n_factors, np.float32),
            scale=float(self.lam * n_labels),
            mass=float(-np.expm1(-1 / self.lam)),
            keys=np.zeros((_TASKS, n_labels), np.uint32),
            spare_keys=np.zeros((_TASKS, n_labels), np.uint32),
            spare_orders=np.zeros((_TASKS, n_labels), np.int32),
            counts=np.zeros((_TASKS, 3, 2048), np.int64),
        )

    def refresh(self, state: AdaptiveState, label_factors: np.ndarray) -> None:
        """Sort the labels by every factor and measure the spreads, in parallel."""
        refresh_orders(label_factors, label_factors.view(np.uint32), state.orders, state.spreads, *state[4:])

    def refresh_interval(self, n_labels: int) -> int:
        """Return `refresh_every`, or L ln L rounded up."""
        if self.refresh_every is not None:
            return int(self.refresh_every)
        return max(1, math.ceil(n_labels * math.log(max(n_labels, 2))))

    def _weights(self, image_factors: np.ndarray, label_factors: np.ndarray, own: Any) -> np.ndarray:
        state = self.state(np.ones(len(label_factors)), label_factors.shape[1], 1)
        self.refresh(state, label_factors)
        # In float32, as the draw computes them: a product that vanishes there must vanish here.
        importance = np.abs(image_factors) * state.spreads
        totals = importance.sum(axis=1, dtype=np.float64, keepdims=True)
        shares = np.divide(importance, totals, out=np.zeros(importance.shape), where=totals > 0)
        by_rank = rank_law(self.lam, len(label_factors))
        weights = np.zeros((len(image_factors), len(label_factors)))
        for f, order in enumerate(state.orders):
            rising = np.zeros(len(order))
            rising[order] = by_rank
            falling = np.zeros(len(order))
            falling[order[::-1]] = by_rank
            weights += shares[:, f, None] * np.where(image_factors[:, f, None] > 0, falling, rising)
        weights[totals[:, 0] == 0] = 1
        return weights


@draw.implement(AdaptiveState)
def _draw(sampler, states, shard, image, labels, indices, begin, end, positive):
    n_labels = sampler.orders.shape[1]
    largest = _largest(image, sampler.spreads)
    for trial in range(MAX_REJECTIONS):
        if largest > 0:
            factor = _draw_factor(states, shard, image, sampler.spreads, largest)
            rank = draw_rank(states, shard, sampler.scale, sampler.mass, n_labels)
            if image[factor] > 0:
                rank = n_labels - 1 - rank
            label = np.int64(sampler.orders[factor, rank])
        else:
            label = next_below(states, shard, n_labels)
        if not contains(indices, begin, end, label):
            return label, trial + 1
    return np.int64(-1), MAX_REJECTIONS


@kernel(finite=True, inline=True)
def _largest(image, spreads):
    """Return the largest ``|v_f| σ_f``."""
    largest = np.float32(0)
    for f in range(image.shape[0]):
        largest = max(largest, abs(image[f]) * spreads[f])
    return largest


@kernel(inline=True)
def _draw_factor(states, shard, image, spreads, largest):
    """Draw a factor with probability ``∝ |v_f| σ_f``: by rejection, then, if that takes long, by a running sum."""
    n_factors = image.shape[0]
    for _ in range(_FACTOR_TRIES):
        factor = next_below(states, shard, n_factors)
        if next_uniform(states, shard) * largest < abs(image[factor]) * spreads[factor]:
            return factor
    total = 0.0
    for f in range(n_factors):
        total += abs(image[f]) * spreads[f]
    left = next_uniform(states, shard) * total
    factor = np.int64(0)
    for f in range(n_factors):
        weight = abs(image[f]) * spreads[f]
        # A factor of weight 0 is passed over even when rounding has used up what was left.
        if weight > 0 and left >= 0:
            factor = np.int64(f)
        left -= weight
    return factor
