"""Samplers that are wrong in one way, each beside the sampler whose law it must be told from."""

from __future__ import annotations

import numpy as np

from vsenumba.samplers import (
    AdaptiveSampler,
    DynamicSampler,
    PopularitySampler,
    RankSampler,
    UniformSampler,
    WarpSampler,
)


class OneRankOff(AdaptiveSampler):
    """Takes the label one rank below the one drawn where v_f > 0, and one above where v_f < 0."""

    def refresh(self, state, label_factors):
        super().refresh(state, label_factors)
        state.orders[:] = np.roll(state.orders, 1, axis=1)


class OneRankOffTheOtherWay(AdaptiveSampler):
    def refresh(self, state, label_factors):
        super().refresh(state, label_factors)
        state.orders[:] = np.roll(state.orders, -1, axis=1)


class SignFlipped(AdaptiveSampler):
    def refresh(self, state, label_factors):
        super().refresh(state, label_factors)
        state.orders[:] = state.orders[:, ::-1].copy()


class SpreadsLeftOut(AdaptiveSampler):
    def refresh(self, state, label_factors):
        super().refresh(state, label_factors)
        state.weights[:] = 1


class NextFactorsSpread(AdaptiveSampler):
    def refresh(self, state, label_factors):
        super().refresh(state, label_factors)
        state.weights[:] = np.roll(state.weights, 1)


class NeverRefreshed(AdaptiveSampler):
    def refresh(self, state, label_factors):
        super().refresh(state, np.random.default_rng(9).permutation(label_factors))


class OwnLabelsReturned(UniformSampler):
    def draw(self, image_factors, label_factors, size, rng=None, positives=None):
        return super().draw(image_factors, label_factors, size, rng)


class LastLabelForgotten(UniformSampler):
    def state(self, label_counts, n_factors, n_shards):
        return super().state(label_counts[:-1], n_factors, n_shards)


class NextLabelsCount(PopularitySampler):
    def state(self, label_counts, n_factors, n_shards):
        return super().state(np.roll(label_counts, 1), n_factors, n_shards)


# What is wrong: the sampler that draws, and the one whose law the draws must be found not to fit.
MUTANTS = {
    "adaptive: lam off by 10 %": (AdaptiveSampler(lam=0.055), AdaptiveSampler()),
    "adaptive: lam off by -10 %": (AdaptiveSampler(lam=0.045), AdaptiveSampler()),
    "adaptive: the variance for the deviation": (AdaptiveSampler(spread="variance"), AdaptiveSampler()),
    "adaptive: the deviation for the variance": (AdaptiveSampler(), AdaptiveSampler(spread="variance")),
    "adaptive: one rank off": (OneRankOff(), AdaptiveSampler()),
    "adaptive: one rank off the other way": (OneRankOffTheOtherWay(), AdaptiveSampler()),
    "adaptive: sign flipped": (SignFlipped(), AdaptiveSampler()),
    "adaptive: spreads left out": (SpreadsLeftOut(), AdaptiveSampler()),
    "adaptive: each factor with the spread of the next": (NextFactorsSpread(), AdaptiveSampler()),
    "adaptive: orders of other factors than today's": (NeverRefreshed(), AdaptiveSampler()),
    "adaptive: staircase for geometric": (AdaptiveSampler(rank_law="staircase"), AdaptiveSampler()),
    "adaptive: geometric for staircase": (AdaptiveSampler(), AdaptiveSampler(rank_law="staircase")),
    "adaptive: one candidate fewer": (AdaptiveSampler(n_candidates=3), AdaptiveSampler(n_candidates=4)),
    "adaptive: the best of two for one": (AdaptiveSampler(n_candidates=2), AdaptiveSampler()),
    "rank: lam off by 10 %": (RankSampler(lam=0.055), RankSampler()),
    "rank: the adaptive law for the exact one": (AdaptiveSampler(), RankSampler()),
    "popularity: without the power": (PopularitySampler(power=1), PopularitySampler()),
    "popularity: each label with the count of the next": (NextLabelsCount(), PopularitySampler()),
    "dynamic: one candidate fewer": (DynamicSampler(n_candidates=7), DynamicSampler()),
    "warp: no margin": (WarpSampler(margin=0.0), WarpSampler()),
    "warp: a trial fewer": (WarpSampler(max_trials=2), WarpSampler(max_trials=3)),
    "warp: in order for random": (WarpSampler(search="in order"), WarpSampler()),
    "uniform: own labels returned": (OwnLabelsReturned(), UniformSampler()),
    "uniform: last label forgotten": (LastLabelForgotten(), UniformSampler()),
}
