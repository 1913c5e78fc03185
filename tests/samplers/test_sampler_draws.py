"""What samplers draw, held to their exact law; and samplers that are wrong in one way, which must not fit it.

Every fit is by `sampler_variants.fit_of`, at `LEVEL`; every seed is fixed. How many fits there are, at most: FITS.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numba
import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutants import MUTANTS
from sampler_variants import LEVEL, MAX_FITS, VARIANTS, draw_counts, draw_law, fit_of
from strategies import situations

from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.membership import contains
from vsenumba.kernels.random import next_below, shard_states
from vsenumba.kernels.threads import threads
from vsenumba.samplers import (
    MAX_REJECTIONS,
    SAMPLERS,
    AdaptiveSampler,
    DynamicSampler,
    RankSampler,
    Sampler,
    UniformSampler,
    WarpSampler,
    aim,
    draw,
)

JIT = not numba.config.DISABLE_JIT

# Draws per image; without the compiler one takes a thousand times longer. Numbers that most numbers of own labels
# divide: draws take these in turn.
DRAWS = 10_080 if JIT else 60
MANY_DRAWS = 60_000 if JIT else 60
SEARCHES = 60_000 if JIT else 1_000

EXAMPLES = 15 if JIT else 4
IMAGES = 3

# What these draw the seed does not decide: the first violator, or nearly always the best label.
PREDICTABLE = {"warp, in order", "warp, in order, 3 trials", "rank, greedy"}

# Drawn situations, the realistic one, skips, flat laws, mutants, trials: fits of this file, rounded up.
FITS = (EXAMPLES * IMAGES + 8) * len(VARIANTS) + 8 * len(MUTANTS) + 100
assert FITS < MAX_FITS

# A mean that is further off than so many standard errors has a chance of 3e-12.
STANDARD_ERRORS = 7

with_the_compiler = pytest.mark.skipif(not JIT, reason="what a mutant differs in shows in many draws")


@pytest.fixture(scope="module")
def realistic():
    """Return 8 images, 60 labels and 8 factors of unequal spread; 5 labels per image, some far more popular."""
    rng = np.random.default_rng(7)
    images = rng.standard_normal((8, 8)) * 0.6
    labels = rng.standard_normal((60, 8)) * np.linspace(0.2, 1.6, 8)
    popularity = 1 / np.arange(1, 61)
    own = [sorted(rng.choice(60, 5, replace=False, p=popularity / popularity.sum())) for _ in images]
    return images, labels, own


def fits(sampler, law_of, situation, size, seed):
    """Return for each image the p-value of a sampler's draws under the law, and giving up, of another."""
    images, labels, own = situation
    law = law_of.law(images, labels, own)
    skip = np.clip(law_of.skip_probability(images, labels, own), 0, 1)
    drawn = sampler.draw(images, labels, size, rng=seed, positives=own)
    return [fit_of(draw_counts(drawn[i], len(labels)), draw_law(law[i], skip[i])) for i in range(len(images))]


@pytest.mark.parametrize("variant", VARIANTS)
class TestEveryVariant:
    @settings(max_examples=EXAMPLES, derandomize=True)
    @given(situation=situations(max_images=IMAGES), seed=st.integers(0, 2**32))
    def test_draws_fit_the_law_and_the_probability_of_giving_up(self, variant, situation, seed):
        sampler = VARIANTS[variant]
        assert min(fits(sampler, sampler, situation, DRAWS, seed)) > LEVEL

    def test_draws_fit_where_mutants_are_caught(self, variant, realistic):
        sampler = VARIANTS[variant]
        assert min(fits(sampler, sampler, realistic, MANY_DRAWS, seed=1)) > LEVEL

    def test_draws_do_not_depend_on_the_number_of_threads(self, variant):
        rng = np.random.default_rng(0)
        images, labels = rng.standard_normal((70, 4)), rng.standard_normal((20, 4))
        own = [np.flatnonzero(row) for row in rng.random((70, 20)) < 0.2]
        drawn = []
        for n_threads in (1, None):
            with threads(n_threads):
                drawn.append(VARIANTS[variant].draw(images, labels, 5, rng=3, positives=own))
        assert np.array_equal(*drawn)

    def test_the_seed_decides_the_draws(self, variant, realistic):
        images, labels, own = realistic
        first, again, other = (
            VARIANTS[variant].draw(images, labels, 50, rng=seed, positives=own) for seed in (3, 3, 4)
        )
        assert np.array_equal(first, again)
        if variant not in PREDICTABLE:
            assert not np.array_equal(first, other)


@with_the_compiler
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_wrong_sampler_does_not_fit(mutant, realistic):
    sampler, truth = MUTANTS[mutant]
    assert min(fits(sampler, truth, realistic, MANY_DRAWS, seed=1)) < LEVEL


def test_every_sampler_has_a_mutant():
    assert {truth.name for _, truth in MUTANTS.values()} == set(SAMPLERS)


@pytest.mark.parametrize("sampler_class", [RankSampler, AdaptiveSampler])
@pytest.mark.parametrize("lam", [1e6, 1e12, 1e15, 1e17, 1e300, 1e308])
def test_draws_of_a_large_lam_are_uniform(sampler_class, lam):
    sampler = sampler_class(lam=lam)
    situation = np.ones((1, 2)), np.arange(20.0).reshape(10, 2), [[]]
    assert min(fits(sampler, UniformSampler(), situation, DRAWS, seed=0)) > LEVEL


@pytest.mark.parametrize("sampler_class", [RankSampler, AdaptiveSampler])
@pytest.mark.parametrize("lam", [1e-30, 1e-300, 1e-310, 5e-324])
def test_draws_of_a_small_lam_are_the_best_label(sampler_class, lam):
    sampler = sampler_class(lam=lam)
    images, labels = np.ones((1, 2)), np.arange(20.0).reshape(10, 2)
    assert sampler.law(images, labels).tolist() == [[0] * 9 + [1]]
    assert (sampler.draw(images, labels, 50, rng=0) == 9).all()
    assert (sampler.draw(images, labels, 50, rng=0, positives=[[9]]) == -1).all()


class TestGivingUp:
    """What share of the draws is -1."""

    def share_fits(self, sampler, situation, expected):
        images, labels, own = situation
        skip = sampler.skip_probability(images, labels, own)
        assert skip == pytest.approx(expected, rel=1e-9)
        drawn = sampler.draw(images, labels, MANY_DRAWS, rng=5, positives=own)
        for i in range(len(images)):
            given_up = (drawn[i] < 0).sum()
            assert fit_of([MANY_DRAWS - given_up, given_up], [1 - skip[i], skip[i]]) > LEVEL

    @pytest.mark.parametrize("missing", [0, 17, 29])
    def test_an_image_with_all_labels_but_one_is_given_up_after_64_rejections(self, missing):
        own = [[a for a in range(30) if a != missing]]
        situation = np.ones((1, 2)), np.random.default_rng(0).standard_normal((30, 2)), own
        self.share_fits(UniformSampler(), situation, [(29 / 30) ** 64])

    def test_dynamic_gives_up_when_every_candidate_does(self):
        situation = np.ones((1, 2)), np.random.default_rng(0).standard_normal((30, 2)), [list(range(29))]
        self.share_fits(DynamicSampler(n_candidates=2), situation, [(29 / 30) ** 128])

    def test_ranks_that_own_labels_hold_are_rejected(self):
        labels = np.arange(30.0).reshape(30, 1)
        best = oracle.geometric_law(0.05, 30)
        expected = [sum(best[:20]) ** 64] * 2
        situation = np.ones((2, 1)), labels, [list(range(10, 30))] * 2
        self.share_fits(RankSampler(), situation, expected)
        self.share_fits(AdaptiveSampler(), situation, expected)

    def test_warp_gives_up_after_max_trials(self):
        # Labels score 0, 10, ..., 90: against label 7 two violate the margin, against label 9 none, against 2 all above
        # it but the image's own.
        situation = np.ones((2, 1)), 10 * np.arange(10.0).reshape(10, 1), [[7], [2, 9]]
        self.share_fits(WarpSampler(max_trials=3), situation, [0.8**3, (0.4**3 + 1) / 2])
        self.share_fits(WarpSampler(max_trials=3, search="in order"), situation, [1, 1])
        self.share_fits(WarpSampler(max_trials=9, search="in order"), situation, [0, 0.5])

    def test_warp_never_gives_up_an_image_without_labels(self):
        situation = np.ones((1, 1)), np.arange(4.0).reshape(4, 1), [[]]
        for search in ("random", "in order"):
            self.share_fits(WarpSampler(max_trials=1, search=search), situation, [0])


@kernel
def search(sampler, states, image, labels, indices, positive, found, trials):
    """Draw for one pair as often as `found` is long, and keep the labels and the trials."""
    for t in range(found.shape[0]):
        label, tried = draw(sampler, states, 0, image, labels, indices, 0, indices.shape[0], positive)
        found[t] = label
        trials[t] = tried


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_state_that_is_aimed_at_an_image_draws_the_same(name):
    rng = np.random.default_rng(0)
    image, labels = rng.normal(size=4).astype(np.float32), rng.normal(size=(30, 4)).astype(np.float32)
    sampler = SAMPLERS[name]()
    state = sampler.state(np.arange(1, 31), 4, 1)
    sampler.refresh(state, labels)
    own, drawn = np.array([3, 8], np.int32), []
    for one in (state, aim(state, image)):
        found, trials = np.zeros((2, 50), np.int64)
        search(one, shard_states(np.random.SeedSequence(1), 1), image, labels, own, 3, found, trials)
        drawn.append(found.tolist())
    assert drawn[0] == drawn[1]


class TestTrials:
    """How many labels a draw tried, from which the WARP loss estimates the positive's rank."""

    def searches(self, sampler, image, labels, own, positive):
        labels = np.ascontiguousarray(labels, np.float32)
        state = sampler.state(np.ones(len(labels), np.int64), labels.shape[1], 1)
        found, trials = np.zeros(SEARCHES, np.int64), np.zeros(SEARCHES, np.int64)
        states = shard_states(np.random.SeedSequence(11), 1)
        search(state, states, np.float32(image), labels, np.array(own, np.int32), positive, found, trials)
        return found, trials

    # The positive is one of the own labels, which all outscore the violators and are drawn like any other.
    @pytest.mark.parametrize("n_own", [1, 20])
    @pytest.mark.parametrize("max_trials", [None, 10])
    @pytest.mark.parametrize("n_violators", [1, 5, 20, 40])
    def test_warps_trials_are_geometric_and_count_own_labels_that_were_drawn(self, n_violators, max_trials, n_own):
        n_labels = 60
        scores = np.zeros((n_labels, 1))
        scores[:n_violators] = 5
        scores[n_labels - n_own :] = 5
        own = list(range(n_labels - n_own, n_labels))
        bound = n_labels if max_trials is None else max_trials
        found, trials = self.searches(WarpSampler(max_trials=max_trials), [1.0], scores, own, own[0])
        assert (trials[found < 0] == bound).all()
        assert (found < n_violators).all()
        trials = trials[found >= 0]
        law = oracle.warp_trials_law(n_violators, n_labels, bound)
        assert fit_of(np.bincount(trials - 1, minlength=bound), law) > LEVEL
        # The estimate of the positive's rank, of which |V| others are better: too large on average.
        mean, deviation = oracle.warp_rank_estimate(n_violators, n_labels, bound)
        error = ((n_labels - 1) // trials).mean() - mean
        assert abs(error) < STANDARD_ERRORS * deviation / math.sqrt(len(trials))
        assert mean > n_violators

    def test_warps_trials_in_order_are_the_place_of_the_first_violator(self):
        scores = [[0.0], [9.0], [0.0], [9.0], [9.0]]
        for own, place in (([1], 4), ([3], 2), ([1, 3], 5)):
            found, trials = self.searches(WarpSampler(search="in order"), [1.0], scores, own, own[0])
            assert (found == place - 1).all()
            assert (trials == place).all()

    @pytest.mark.parametrize("name", ["uniform", "popularity"])
    def test_a_rejected_label_is_a_trial(self, name):
        labels, own = np.zeros((10, 1)), [0, 3, 4]
        found, trials = self.searches(SAMPLERS[name](), [1.0], labels, own, 0)
        assert not np.isin(found, [*own, -1]).any()
        law = [0.7 * 0.3**t for t in range(63)] + [0.3**63]
        assert fit_of(np.bincount(trials - 1, minlength=64), law) > LEVEL

    def test_dynamic_counts_the_trials_of_every_candidate(self):
        scores = np.arange(6.0).reshape(6, 1)
        found, trials = self.searches(DynamicSampler(n_candidates=4), [1.0], scores, [5], 5)
        assert not np.isin(found, [5, -1]).any()
        law = [math.comb(t - 1, 3) * (5 / 6) ** 4 * (1 / 6) ** (t - 4) for t in range(4, 40)]
        assert fit_of(np.bincount(trials - 4, minlength=36), law) > LEVEL


def test_popularity_draws_by_the_label_counts_it_is_given():
    images, labels, own, counts = np.ones((1, 1)), np.ones((5, 1)), [[0, 1]], [50, 3, 8, 0, 1]
    sampler = SAMPLERS["popularity"]()
    law = oracle.popularity_law(counts, 0.75, own[0])
    skip = oracle.rejections_skip(oracle.popularity_law(counts, 0.75, []), own[0], 64)
    assert sampler.law(images, labels, own, label_counts=counts)[0] == pytest.approx(law)
    assert sampler.skip_probability(images, labels, own, label_counts=counts) == pytest.approx([skip])
    drawn = sampler.draw(images, labels, DRAWS, rng=0, positives=own, label_counts=counts)
    assert fit_of(draw_counts(drawn[0], 5), draw_law(law, skip)) > LEVEL


class EveryOtherState(NamedTuple):
    n_labels: int


@dataclass(frozen=True, kw_only=True)
class EveryOtherSampler(Sampler):
    name: ClassVar[str] = "every other"

    def state(self, label_counts, n_factors, n_shards):
        return EveryOtherState(len(label_counts))

    def _weights(self, image_factors, label_factors, own, label_counts):
        return np.tile(np.arange(len(label_factors)) % 2 == 0, (len(image_factors), 1)).astype(float)


@draw.implement(EveryOtherState)
def _draw_every_other(sampler, states, shard, image, labels, indices, begin, end, positive):
    for trial in range(MAX_REJECTIONS):
        label = 2 * next_below(states, shard, (sampler.n_labels + 1) // 2)
        if not contains(indices, begin, end, label):
            return np.int64(label), trial + 1
    return np.int64(-1), MAX_REJECTIONS


def test_a_sampler_of_ones_own_is_held_to_its_law_like_any_other():
    sampler, situation = EveryOtherSampler(), (np.ones((2, 1)), np.ones((7, 1)), [[0, 1], [0, 2, 4]])
    assert sampler.law(*situation)[0].tolist() == pytest.approx([0, 0, 1 / 3, 0, 1 / 3, 0, 1 / 3])
    assert min(fits(sampler, sampler, situation, DRAWS, seed=0)) > LEVEL


def test_the_margin_is_added_without_rounding():
    # In float32 1e8 + 1 is 1e8, and an equal label would be no violator.
    images, labels = np.full((1, 1), 1e8), np.ones((2, 1))
    assert WarpSampler(max_trials=99).law(images, labels, [[1]]).tolist() == [[1, 0]]
    assert (WarpSampler(max_trials=99).draw(images, labels, 20, rng=0, positives=[[1]]) == 0).all()


def test_scores_of_equal_labels_are_equal_in_draws_as_in_the_law():
    # However a sum is vectorised: with no margin an equal label is no violator.
    rng = np.random.default_rng(0)
    for n_factors in (1, 3, 7, 8, 31, 100):
        images = rng.standard_normal((5, n_factors))
        labels = np.repeat(rng.standard_normal((1, n_factors)), 20, axis=0)
        drawn = WarpSampler(margin=0.0).draw(images, labels, 10, rng=0, positives=[[3]] * 5)
        assert (drawn == -1).all()


@pytest.mark.parametrize("n_cells", [2, 12])
def test_the_bound_on_a_fit_is_one(n_cells):
    # Of draws from the law, not more than a share p may have a p-value of p or less.
    rng = np.random.default_rng(0)
    law = rng.dirichlet(np.ones(n_cells))
    p_values = np.array([fit_of(counts, law) for counts in rng.multinomial(50, law, size=3_000)])
    for p in (0.3, 0.1, 0.03, 0.01):
        assert (p_values <= p).mean() <= p


def test_a_fit_sees_what_cannot_happen():
    assert fit_of([5, 5, 1], [0.5, 0.5, 0]) == 0
    assert fit_of([50, 50, 0], [0.5, 0.5, 0]) == 1
    assert fit_of([90, 10], [0.5, 0.5]) < LEVEL
