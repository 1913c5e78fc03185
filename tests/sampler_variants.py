"""The samplers that the tests of samplers run for, each with its law and its chance of giving up by enumeration."""

from __future__ import annotations

import numpy as np
import oracle
from scipy.special import xlogy

from vsenumba.kernels.dot import dot
from vsenumba.samplers import (
    MAX_REJECTIONS,
    SAMPLERS,
    AdaptiveSampler,
    DynamicSampler,
    PopularitySampler,
    RankSampler,
    WarpSampler,
)
from vsenumba.samplers.adaptive import SPREADS

# Every member with its defaults, and what else its parameters can say.
VARIANTS = {name: sampler() for name, sampler in SAMPLERS.items()} | {
    "adaptive, variance": AdaptiveSampler(spread="variance"),
    "adaptive, staircase": AdaptiveSampler(rank_law="staircase", lam=0.3),
    "adaptive, as the authors' code": AdaptiveSampler(rank_law="staircase", spread="variance"),
    "adaptive, nearly uniform": AdaptiveSampler(lam=5.0),
    "adaptive, greedy": AdaptiveSampler(lam=1e-3),
    "adaptive, best of 2": AdaptiveSampler(n_candidates=2),
    "adaptive, best of 3": AdaptiveSampler(n_candidates=3, lam=0.3),
    "rank, flat": RankSampler(lam=0.5),
    "rank, greedy": RankSampler(lam=1e-3),
    "warp, 3 trials": WarpSampler(max_trials=3),
    "warp, unbounded": WarpSampler(max_trials=None),
    "warp, in order": WarpSampler(search="in order", max_trials=None),
    "warp, in order, 3 trials": WarpSampler(search="in order", max_trials=3),
    "warp, no margin": WarpSampler(margin=0.0),
    "dynamic, 1 candidate": DynamicSampler(n_candidates=1),
    "dynamic, 3 candidates": DynamicSampler(n_candidates=3),
    "popularity, power 0": PopularitySampler(power=0),
    "popularity, power 2": PopularitySampler(power=2),
}

# A test by `fit_of` raises a false alarm at most this often. The suite makes fewer than 5,000 of them (counted where
# they are made), so that a whole run raises one in fewer than 1 of 2 million cases.
LEVEL = 1e-10
MAX_FITS = 5_000
assert LEVEL * MAX_FITS < 1e-6


def counts_of(own, n_labels):
    """Return how many images have each label, as the popularity sampler counts them."""
    flat = [a for one in own for a in one]
    return np.bincount(flat, minlength=n_labels) if flat else np.ones(n_labels, int)


def enumerated(sampler, image, labels, own, counts):
    """Return the oracle's law of an image and its chance of giving up.

    Scores are the package's own: which of two nearly equal ones is larger is a matter of rounding.
    """
    n_labels = len(labels)
    scores = [dot(image, labels, a) for a in range(n_labels)]

    def law(mine):
        match sampler.name:
            case "uniform":
                return oracle.uniform_law(n_labels, mine)
            case "popularity":
                return oracle.popularity_law(counts, sampler.power, mine)
            case "rank":
                return oracle.exact_rank_law(scores, sampler.lam, mine)
            case "adaptive":
                power = SPREADS[sampler.spread]
                return oracle.adaptive_law(image, labels, sampler.lam, mine, power, sampler.rank_law)
        raise AssertionError(f"{sampler.name} has no oracle")

    if sampler.name == "warp":
        bound = n_labels if sampler.max_trials is None else sampler.max_trials
        arguments = scores, own, sampler.margin, bound
        if sampler.search == "in order":
            return oracle.warp_in_order_law(*arguments), oracle.warp_in_order_skip(*arguments)
        return oracle.warp_law(*arguments), oracle.warp_skip(*arguments)
    if sampler.name == "dynamic":
        return (
            oracle.dynamic_law(scores, own, sampler.n_candidates, MAX_REJECTIONS),
            oracle.dynamic_skip(n_labels, own, sampler.n_candidates, MAX_REJECTIONS),
        )
    candidate, skip = law(own), oracle.rejections_skip(law([]), own, MAX_REJECTIONS)
    if sampler.name == "adaptive" and sampler.n_candidates > 1:
        return oracle.best_of_law(candidate, scores, sampler.n_candidates, skip)
    return candidate, skip


def fit_of(counts, law):
    """Return a p-value of counts under a law by the G-test, with a bound in place of the chi-squared approximation.

    ``P(G / 2 >= x) <= exp(m - x) (x / m) ** m`` for x > m, with m one less than the number of cells (Agrawal 2020,
    "Finite-sample concentration of the multinomial in relative entropy"): it holds for any number of draws and any
    law, so that the false alarms above are a promise. Counts where the law is 0 have a p-value of 0.
    """
    counts, law = np.asarray(counts, float), np.asarray(law, float)
    if counts[law == 0].any():
        return 0.0
    counts, law = counts[law > 0], law[law > 0]
    half = float((xlogy(counts, counts) - counts * (np.log(counts.sum()) + np.log(law))).sum())
    m = len(law) - 1
    return float(np.exp(m - half) * (half / m) ** m) if half > m > 0 else 1.0


def draw_counts(drawn, n_labels):
    """Return how often each label was drawn, and last how often a draw was given up."""
    return np.bincount(np.where(drawn < 0, n_labels, drawn), minlength=n_labels + 1)


def draw_law(law, skip):
    """Return the probabilities of what `draw_counts` counts."""
    return np.append(np.asarray(law) * (1 - skip), skip)
