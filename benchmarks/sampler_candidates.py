"""Rejected alternatives to the adaptive sampler, kept as evidence. None of them is part of the package.

A draw costs O(k), as with the adaptive sampler. One class implements all of them: it draws candidates by a cheap law,
scores them, and returns one of them by its rank.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from scipy.special import betainc

from vsenumba import AdaptiveSampler, PopularitySampler
from vsenumba.errors import InputError
from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.dot import dot, dots
from vsenumba.kernels.membership import contains
from vsenumba.kernels.random import next_below, next_uniform
from vsenumba.samplers import MAX_REJECTIONS, Sampler, draw
from vsenumba.samplers.adaptive import AdaptiveState, _largest, draw_label
from vsenumba.samplers.rank_law import draw_rank, rank_law, rank_steps
from vsenumba.samplers.sampler import own_share
from vsenumba.training import Callback


class CandidateState(NamedTuple):
    """The data of both laws, the share of the second, the number of draws, the way to pick, and work space per shard.

    The tuple is flat, because parallel loops do not accept nested tuples.
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
    keep: np.ndarray
    alias: np.ndarray
    share: float
    pick_scale: float
    pick_mass: float
    scores: np.ndarray


@dataclass(frozen=True, kw_only=True)
class CandidateSampler(Sampler):
    """Draw a few candidates, each adaptively or by popularity, and return one by its rank among their scores.

    A candidate is drawn by ``p(a) ∝ (1 - share) p_adaptive(a | i) + share p_popularity(a)``, without the image's known
    labels. Let ``F(a)`` be the probability that a candidate scores at most as high as a, ``F'(a)`` the probability that
    it scores lower, g the law of the picked rank, and I the regularised incomplete beta function. Then a is returned
    with probability ``p(a) / (F(a) - F'(a)) · Σ_r g(r) (I(F(a); c - r, r + 1) - I(F'(a); c - r, r + 1))``. For the best
    of c candidates, this is ``p(a) (F(a)^c - F'(a)^c) / (F(a) - F'(a))``. The formula ignores that skipped draws reduce
    the number of candidates.

    Parameters
    ----------
    n_candidates : int
        The number of candidates, with repeats. With 1, the law is a mixture of two laws.
    lam : float
        λ of the adaptive law.
    share : float
        The probability that a candidate is drawn by popularity.
    power : float
        The power of the popularity; 0 is uniform.
    pick : float
        0 returns the best; otherwise, rank r is returned with probability ``∝ exp(-r / (pick n_candidates))``.
    """

    n_candidates: int = 2
    lam: float = 0.05
    share: float = 0.0
    power: float = 0.0
    pick: float = 0.0
    name: ClassVar[str] = "candidates"

    def __post_init__(self) -> None:
        if int(self.n_candidates) != self.n_candidates or self.n_candidates < 1:
            raise InputError(f"n_candidates must be a whole number of at least 1, not {self.n_candidates!r}")
        if not 0 <= self.share <= 1:
            raise InputError(f"share must lie in 0..1, not {self.share!r}")
        if not 0 <= self.pick < np.inf:
            raise InputError(f"pick must be finite and not negative, not {self.pick!r}")

    @property
    def _adaptive(self) -> AdaptiveSampler:
        return AdaptiveSampler(lam=self.lam, n_candidates=self.n_candidates)

    def state(self, label_counts: np.ndarray, n_factors: int, n_shards: int) -> CandidateState:
        """Return the state; see `Sampler.state`."""
        # Without a table, any label may be drawn.
        keep, alias = np.zeros(0), np.zeros(0, np.int32)
        if self.power > 0:
            keep, alias, _ = PopularitySampler(power=self.power).state(label_counts, n_factors, n_shards)
        _, scale, mass = rank_steps("geometric", self.pick or 1.0, self.n_candidates)
        return CandidateState(
            *self._adaptive.state(label_counts, n_factors, n_shards),
            keep,
            alias,
            float(self.share),
            scale if self.pick > 0 else 0.0,
            mass,
            np.zeros((n_shards, self.n_candidates)),
        )

    def refresh(self, state: CandidateState, label_factors: np.ndarray) -> None:
        """Sort the labels by every factor, if the adaptive law has a share."""
        if self.share < 1:
            self._adaptive.refresh(AdaptiveState(*state[: len(AdaptiveState._fields)]), label_factors)

    def refresh_interval(self, n_labels: int, epoch: int) -> int | None:
        """Return the adaptive sampler's interval, if it has a share."""
        return self._adaptive.refresh_interval(n_labels, epoch) if self.share < 1 else None

    def _candidate_law(
        self, image_factors: np.ndarray, label_factors: np.ndarray, own: Any, label_counts: np.ndarray
    ) -> np.ndarray:
        adaptive = self._adaptive._candidate_weights(image_factors, label_factors)
        counts = label_counts if self.power > 0 else np.ones_like(label_counts)
        popular = PopularitySampler(power=self.power)._weights(image_factors, label_factors, own, counts)
        adaptive /= adaptive.sum(axis=1, keepdims=True)
        return (1 - self.share) * adaptive + self.share * popular / popular.sum(axis=1, keepdims=True)

    def _skips(
        self, image_factors: np.ndarray, label_factors: np.ndarray, own: Any, label_counts: np.ndarray
    ) -> np.ndarray:
        law = self._candidate_law(image_factors, label_factors, own, label_counts)
        return own_share(own, law) ** (MAX_REJECTIONS * self.n_candidates)

    def _weights(
        self, image_factors: np.ndarray, label_factors: np.ndarray, own: Any, label_counts: np.ndarray
    ) -> np.ndarray:
        c = self.n_candidates
        law = self._candidate_law(image_factors, label_factors, own, label_counts)
        by_rank = rank_law(self.pick, c) if self.pick > 0 else np.eye(1, c)[0]
        weights = np.zeros_like(law)
        for i, image in enumerate(image_factors):
            law[i, own.indices[own.indptr[i] : own.indptr[i + 1]]] = 0
            total = law[i].sum()
            if total == 0:
                continue
            scores = dots(image, label_factors)
            _, group = np.unique(scores, return_inverse=True)
            tied = np.bincount(group, weights=law[i] / total)
            upto = np.minimum(np.cumsum(tied), 1.0)
            below = np.concatenate(([0.0], upto[:-1]))
            shares = np.zeros(len(tied))
            for r, g in enumerate(by_rank):
                shares += g * (betainc(c - r, r + 1, upto) - betainc(c - r, r + 1, below))
            alone = np.divide(shares, tied, out=np.zeros_like(tied), where=tied > 0)
            weights[i] = law[i] / total * alone[group]
        return weights


@draw.implement(CandidateState)
def _draw(sampler, states, shard, image, labels, indices, begin, end, positive):
    largest = 0.0
    if sampler.share < 1:
        largest = _largest(image, sampler.weights)
    trials = 0
    n_kept = 0
    # Draw all candidates before scoring any, so that the cache misses of the scores overlap.
    for _ in range(sampler.drawn.shape[1]):
        for _ in range(MAX_REJECTIONS):
            trials += 1
            label = _candidate(sampler, states, shard, image, largest, labels.shape[0])
            if not contains(indices, begin, end, label):
                sampler.drawn[shard, n_kept] = label
                n_kept += 1
                break
    best = np.int64(-1)
    best_score = -np.inf
    n_drawn = 0
    for t in range(n_kept):
        label = sampler.drawn[shard, t]
        if sampler.drawn.shape[1] == 1:
            return label, trials
        score = np.float64(dot(image, labels, label))
        if sampler.pick_scale > 0:
            place = n_drawn
            while place > 0 and sampler.scores[shard, place - 1] < score:
                sampler.scores[shard, place] = sampler.scores[shard, place - 1]
                sampler.drawn[shard, place] = sampler.drawn[shard, place - 1]
                place -= 1
            sampler.scores[shard, place] = score
            sampler.drawn[shard, place] = label
            n_drawn += 1
        # Among equal scores, keep the first draw, so that all are equally likely.
        if score > best_score:
            best_score = score
            best = label
    if n_drawn > 0:
        rank = draw_rank(states, shard, 1, sampler.pick_scale, sampler.pick_mass, n_drawn)
        best = sampler.drawn[shard, rank]
    return best, trials


@kernel(inline=True)
def _candidate(sampler, states, shard, image, largest, n_labels):
    """Draw a label by one of the two laws."""
    if sampler.share > 0 and (sampler.share >= 1 or next_uniform(states, shard) < sampler.share):
        label = next_below(states, shard, n_labels)
        if sampler.keep.shape[0] > 0 and next_uniform(states, shard) >= sampler.keep[label]:
            label = np.int64(sampler.alias[label])
        return label
    return draw_label(sampler, states, shard, image, largest)


class PrincipalAxes(Callback):
    """Rotates all tables to the principal axes of the label factors after every epoch, and times it.

    This does not affect scores and row Adagrad. It affects the adaptive sampler, which uses one axis at a time.

    Attributes
    ----------
    seconds : list of float
        The total time of the rotations, after each epoch.
    """

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def after_epoch(self, model: Any, record: Mapping[str, float]) -> bool:
        """Rotate."""
        started = time.perf_counter()
        _, axes = np.linalg.eigh(np.cov(model.tables_["label_factors"], rowvar=False, dtype=np.float64))
        axes = axes.astype(np.float32)
        for table in model.tables_.values():
            table[:] = table @ axes
        before = self.seconds[-1] if self.seconds else 0.0
        self.seconds.append(before + time.perf_counter() - started)
        return False
