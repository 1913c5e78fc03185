"""The adaptive sampler of VSE-ens: rank labels by one factor, drawn by its importance for the image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numba
import numpy as np

from vsenumba.checks import check_choice, is_whole
from vsenumba.errors import InputError
from vsenumba.kernels.bits import bits_float, float_bits
from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.dot import dots
from vsenumba.kernels.gate import readable
from vsenumba.kernels.membership import contains
from vsenumba.kernels.orders import invert_orders, refresh_orders, sort_space
from vsenumba.kernels.prefetch import prefetch_row
from vsenumba.kernels.random import next_below, next_bits, next_uniform
from vsenumba.samplers.best_of import best_drawn, best_of_law, check_candidates
from vsenumba.samplers.rank_law import RANK_LAWS, check_lam, draw_rank, rank_law, rank_steps
from vsenumba.samplers.sampler import MAX_REJECTIONS, Sampler, aim, draw, own_share, trial_probability

# Number of rejections before a running sum over all factors decides the draw. With trained factors, three tries are
# usual.
_FACTOR_TRIES = 16

# Minimum number of draws between two refreshes. With fewer, a second thread would have nothing to do.
_LEAST_INTERVAL = 8_192

# The power of a factor's standard deviation, by name of the spread.
SPREADS = {"deviation": 1, "variance": 2}


class AdaptiveState(NamedTuple):
    """The rank orders of all factors, their weights, the numbers of the rank law, and the candidates of each shard.

    `largest` is the largest ``|v_f| w_f`` of the image for which `aim` prepared the state, and negative otherwise.
    `places` is the position of each label in the order of each factor, (L, k), and `by_rank` the law of the ranks,
    (L,). Both are empty if probabilities are not needed.
    """

    orders: np.ndarray
    weights: np.ndarray
    step: int
    scale: float
    mass: float
    drawn: np.ndarray
    largest: float
    places: np.ndarray
    by_rank: np.ndarray


@dataclass(frozen=True, kw_only=True)
class AdaptiveSampler(Sampler):
    """Draw a factor that matters to the image, then a label that ranks high by this factor alone.

    The law of one draw is ``p(a | i) = Σ_f p(f | i) p(a | i, f)``:

    - ``p(f | i) ∝ |v_if| σ_f``, where σ_f is the standard deviation of factor f over the labels;
    - ``p(a | i, f) ∝ exp(-rank_f(a) / (lam L))``, where rank_f(a) is the position of a when the L labels are sorted by
      ``sgn(v_if) v_af``, largest first. Labels with equal values are in ascending order if v_if < 0, and in descending
      order if v_if > 0.

    If all ``|v_if| σ_f`` are 0, all labels have equal scores and are equally likely.

    The sampler sorts the labels at each refresh and uses this order until the next, so a draw takes O(k) for any number
    of labels.

    With c candidates, the sampler draws c labels by this law and returns the one with the highest score, in O(ck). The
    probability of a is then ``p(a | i) (F^c - F'^c) / (F - F')``. Here ``p(a | i)`` is the law above, normalised over
    the labels that the image does not have. F is the probability of a label that scores no better than a, and F' that
    of a label that scores worse.

    Parameters
    ----------
    lam : float, default 0.05
        λ as a fraction of the number of labels, above 0. Small values are greedy, large values are uniform.
    n_candidates : int, optional
        Number of candidates, from 1 to 100,000. The default, 1, is the paper's sampler. None chooses √L / 4 for L
        labels, at least 6 and at most 16. With labels as inputs, 4 gave the best accuracy per second on sets of
        hundreds of labels and more; with more labels, more candidates pay off. On Corel5k, fewer than 6 cost MRR and
        more gained nothing.
    refresh_every : int, optional
        Number of draws between two refreshes, at least 1. The default in epoch e, counted from 1, is ``e L ln L``, but
        at least 8,192; the paper's is ``L ln L``. Sorting then costs O(k) per draw in the first epoch. Refreshes
        become rarer as the factors settle.
    spread : {"deviation", "variance"}, default "deviation"
        Spread of a factor over the labels: σ_f as in the paper, or σ_f² as in the authors' code.
    rank_law : {"geometric", "staircase"}, default "geometric"
        Law of the ranks: the paper's ``exp(-r / (lam L))``, or ``exp(-floor(r / floor(lam L)))`` with steps as in the
        authors' code. That code differs in two details: its first step is two ranks shorter, and it never draws the
        first and the last rank. See `vsenumba.samplers.rank_law.rank_law`.

    References
    ----------
    Guo et al., "VSE-ens: Visual-Semantic Embeddings with Efficient Negative Sampling", AAAI 2018, eqs. 6-8.

    Rendle & Freudenthaler, "Improving pairwise learning for item recommendation from implicit feedback", WSDM 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from vsenumba import AdaptiveSampler
    >>> AdaptiveSampler(lam=0.5).law(np.array([[1.0]]), np.array([[3.0], [2.0], [1.0]])).round(3)
    array([[0.563, 0.289, 0.148]])
    """

    lam: float = 0.05
    n_candidates: int | None = 1
    refresh_every: int | None = None
    spread: str = "deviation"
    rank_law: str = "geometric"
    name: ClassVar[str] = "adaptive"

    def __post_init__(self) -> None:
        check_lam(self.lam)
        check_candidates(self.n_candidates)
        every = self.refresh_every
        if every is not None and not is_whole(every):
            raise InputError(f"refresh_every must be a whole number of at least 1 or None, not {every!r}")
        check_choice("spread", self.spread, SPREADS)
        check_choice("rank_law", self.rank_law, RANK_LAWS)

    def state(self, label_counts: np.ndarray, n_factors: int, n_shards: int) -> AdaptiveState:
        """Return the state; see `Sampler.state`."""
        n_labels = len(label_counts)
        return AdaptiveState(
            np.zeros((n_factors, n_labels), np.int32),
            np.zeros(n_factors, np.float32),
            *rank_steps(self.rank_law, self.lam, n_labels),
            np.zeros((n_shards, self.candidates_for(n_labels)), np.int64),
            -1.0,
            np.zeros((0, n_factors), np.int32),
            np.zeros(0),
        )

    @property
    def knows_probabilities(self) -> bool:
        """Whether there is one candidate; the best of several depends on the scores of all labels."""
        return self.n_candidates == 1

    def with_probabilities(self, state: AdaptiveState) -> AdaptiveState:
        """Return a state that also contains the positions of the labels; see `Sampler.with_probabilities`."""
        n_factors, n_labels = state.orders.shape
        by_rank = rank_law(self.lam, n_labels, self.rank_law)
        return state._replace(places=np.zeros((n_labels, n_factors), np.int32), by_rank=by_rank)

    def candidates_for(self, n_labels: int) -> int:
        """Return `n_candidates`, or its default for a number of labels."""
        if self.n_candidates is None:
            return min(max(round(math.sqrt(n_labels) / 4), 6), 16)
        return int(self.n_candidates)

    def refresh(self, state: AdaptiveState, label_factors: np.ndarray) -> None:
        """Sort the labels by every factor and measure the spreads, in parallel; see `Sampler.refresh`."""
        n_factors, n_labels = state.orders.shape
        label_factors = readable("label_factors", label_factors, (n_labels, n_factors))
        spreads = np.zeros(n_factors)
        # Allocated anew for each refresh, so that training does not hold this memory in between.
        space = sort_space(n_labels, min(numba.get_num_threads(), n_factors))
        refresh_orders(label_factors, state.orders, spreads, space)
        state.weights[:] = self.relative_spreads(spreads)
        if len(state.places):
            invert_orders(state.orders, state.places)

    def relative_spreads(self, deviations: np.ndarray) -> np.ndarray:
        """Return the weights of the factors for their standard deviations, (k,) float32; the largest is 1.

        Relative weights cannot overflow as powers, or in products with an image's factors.
        """
        largest = deviations.max()
        if not largest > 0:
            return np.zeros(len(deviations), np.float32)
        return ((deviations / largest) ** SPREADS[self.spread]).astype(np.float32)

    def refresh_interval(self, n_labels: int, epoch: int) -> int:
        """Return `refresh_every`, or the epoch times L ln L, rounded up, and at least 8,192."""
        if self.refresh_every is not None:
            return int(self.refresh_every)
        return max(_LEAST_INTERVAL, math.ceil(epoch * n_labels * math.log(n_labels)))

    def _skips(
        self, image_factors: np.ndarray, label_factors: np.ndarray, own: Any, label_counts: np.ndarray
    ) -> np.ndarray:
        share = own_share(own, self._candidate_weights(image_factors, label_factors))
        return share ** (MAX_REJECTIONS * self.candidates_for(len(label_factors)))

    def _weights(
        self, image_factors: np.ndarray, label_factors: np.ndarray, own: Any, label_counts: np.ndarray
    ) -> np.ndarray:
        weights = self._candidate_weights(image_factors, label_factors)
        n_candidates = self.candidates_for(len(label_factors))
        if n_candidates == 1:
            return weights
        skips = own_share(own, weights) ** MAX_REJECTIONS
        weights[np.repeat(np.arange(len(weights)), np.diff(own.indptr)), own.indices] = 0
        for i, image in enumerate(image_factors):
            if weights[i].any():
                scores = dots(image, label_factors)
                weights[i] = best_of_law(weights[i] / weights[i].sum(), scores, n_candidates, skips[i])
        return weights

    def _candidate_weights(self, image_factors: np.ndarray, label_factors: np.ndarray) -> np.ndarray:
        state = self.state(np.ones(len(label_factors)), label_factors.shape[1], 1)
        self.refresh(state, label_factors)
        # In float32 as in the draw, so that the same products underflow to 0.
        importance = np.abs(image_factors) * state.weights
        totals = importance.sum(axis=1, dtype=np.float64, keepdims=True)
        shares = np.divide(importance, totals, out=np.zeros(importance.shape), where=totals > 0)
        by_rank = rank_law(self.lam, len(label_factors), self.rank_law)
        weights = np.zeros((len(image_factors), len(label_factors)))
        for f, order in enumerate(state.orders):
            rising = np.zeros(len(order))
            rising[order] = by_rank
            falling = np.zeros(len(order))
            falling[order[::-1]] = by_rank
            weights += shares[:, f, None] * np.where(image_factors[:, f, None] > 0, falling, rising)
        weights[totals[:, 0] == 0] = 1
        return weights


@aim.implement(AdaptiveState)
def _aim(sampler, image):
    largest = _largest(image, sampler.weights)
    return AdaptiveState(
        sampler.orders, sampler.weights, sampler.step, sampler.scale, sampler.mass, sampler.drawn, largest,
        sampler.places, sampler.by_rank,
    )  # fmt: skip


@draw.implement(AdaptiveState)
def _draw(sampler, states, shard, image, labels, indices, begin, end, positive):
    largest = sampler.largest if sampler.largest >= 0 else _largest(image, sampler.weights)
    n_candidates = sampler.drawn.shape[1]
    trials = 0
    for c in range(n_candidates):
        sampler.drawn[shard, c] = -1
        for _ in range(MAX_REJECTIONS):
            trials += 1
            label = draw_label(sampler, states, shard, image, largest)
            if not contains(indices, begin, end, label):
                sampler.drawn[shard, c] = label
                if n_candidates > 1:
                    prefetch_row(labels, label)
                break
    return best_drawn(image, labels, sampler.drawn[shard]), trials


@trial_probability.implement(AdaptiveState)
def _trial_probability(sampler, image, label):
    n_labels = sampler.orders.shape[1]
    total, of_label = 0.0, 0.0
    for f in range(image.shape[0]):
        weight = np.float64(abs(image[f]) * sampler.weights[f])
        place = sampler.places[label, f]
        total += weight
        of_label += weight * sampler.by_rank[n_labels - 1 - place if image[f] > 0 else place]
    return of_label / total if total > 0 else 1.0 / n_labels


@kernel(inline=True)
def draw_label(sampler, states, shard, image, largest):
    """Draw a label by the law; it may be a known label of the image."""
    n_labels = sampler.orders.shape[1]
    if not largest > 0:
        return next_below(states, shard, n_labels)
    # Draw the rank first, because it does not depend on the factor.
    rank = draw_rank(states, shard, sampler.step, sampler.scale, sampler.mass, n_labels)
    factor = _draw_factor(states, shard, image, sampler.weights, largest)
    if image[factor] > 0:
        rank = n_labels - 1 - rank
    return np.int64(sampler.orders[factor, rank])


@kernel(inline=True)
def _largest(image, weights):
    """Return the largest ``|v_f| w_f``, w the weights of the factors."""
    largest = np.int32(0)
    for f in range(image.shape[0]):
        largest = max(largest, float_bits(abs(image[f]) * weights[f]))
    return np.float64(bits_float(largest))


@kernel(inline=True)
def _draw_factor(states, shard, image, weights, largest):
    """Draw a factor with probability ``∝ |v_f| w_f``: by rejection, or finally by a running sum."""
    n_factors = image.shape[0]
    unit = largest * 2.0**-32
    for _ in range(_FACTOR_TRIES):
        # One random number has two parts: its high bits select the factor, its low bits accept or reject it.
        point = next_bits(states, shard) * np.uint64(n_factors)
        factor = np.int64(point >> np.uint64(32))
        fraction = np.float64(np.int64(point & np.uint64(0xFFFFFFFF))) + 0.5
        if fraction * unit < abs(image[factor]) * weights[factor]:
            return factor
    total = 0.0
    for f in range(n_factors):
        total += abs(image[f]) * weights[f]
    left = next_uniform(states, shard) * total
    factor = np.int64(0)
    for f in range(n_factors):
        weight = abs(image[f]) * weights[f]
        # Never choose a factor of weight 0, even if rounding has used up the remainder.
        if weight > 0 and left >= 0:
            factor = np.int64(f)
        left -= weight
    return factor
