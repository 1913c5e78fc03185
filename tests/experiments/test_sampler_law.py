"""A sampler seen at work on one image: measures against loops, the law of training, draws that fit it."""

from __future__ import annotations

import math

import numba
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import power_divergence

import vsenumba as vse
from vsenumba.errors import InputError
from vsenumba.experiments import (
    goodness_of_fit,
    gradient_weight,
    inspect_sampler,
    total_variation,
    violation_probability,
)
from vsenumba.samplers import SAMPLERS

# Without the compiler a draw takes a thousand times longer.
DRAWS = 400 if numba.config.DISABLE_JIT else 20_000


@pytest.fixture(scope="module")
def seen():
    """A set with a label that nobody has, image vectors and label factors."""
    rng = np.random.default_rng(0)
    matrix = rng.random((12, 15)) < 0.3
    matrix[:, 14] = False
    matrix[3] = [True] * 4 + [False] * 11
    factors = rng.standard_normal((12, 5)).astype(np.float32), rng.standard_normal((15, 5)).astype(np.float32)
    return vse.AnnotationSet.from_csr(matrix), *factors


# The measures.


@st.composite
def laws(draw):
    """Draw laws, scores and the images' own labels."""
    n_images, n_labels = draw(st.integers(1, 4)), draw(st.integers(2, 7))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    own = [np.flatnonzero(rng.random(n_labels) < 0.4) for _ in range(n_images)]
    weights = rng.random((n_images, n_labels)) * (rng.random((n_images, n_labels)) < 0.8)
    for i, mine in enumerate(own):
        weights[i, mine] = 0
    totals = weights.sum(axis=1, keepdims=True)
    return np.divide(weights, totals, out=weights, where=totals > 0), rng.standard_normal((n_images, n_labels)), own


def mean_by_loops(law, scores, own, value):
    means = []
    for i, mine in enumerate(own):
        if len(mine) == 0 or not law[i].any():
            means.append(math.nan)
            continue
        total = 0.0
        for p in mine:
            for n in range(law.shape[1]):
                total += law[i, n] * value(scores[i, p] - scores[i, n])
        means.append(total / len(mine))
    return means


@given(laws(), st.sampled_from([0.0, 0.5, 1.0]))
def test_violations_and_slopes_are_what_loops_add_up_to(drawn, margin):
    law, scores, own = drawn
    violations = mean_by_loops(law, scores, own, lambda d: d < margin)
    slopes = mean_by_loops(law, scores, own, lambda d: 1 / (1 + math.exp(d)))
    assert violation_probability(law, scores, own, margin) == pytest.approx(violations, nan_ok=True)
    assert gradient_weight(law, scores, own) == pytest.approx(slopes, nan_ok=True)
    rows = np.repeat(np.arange(len(own)), [len(mine) for mine in own])
    matrix = sp.coo_array((np.ones(len(rows)), (rows, np.concatenate(own))), shape=law.shape)
    assert gradient_weight(law, scores, matrix) == pytest.approx(slopes, nan_ok=True)


@given(laws())
def test_total_variation_is_the_largest_difference_of_an_event(drawn):
    law, scores, _ = drawn
    other = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    expected = [np.maximum(one - two, 0).sum() if one.any() else math.nan for one, two in zip(law, other, strict=True)]
    assert total_variation(law, other) == pytest.approx(expected, nan_ok=True)
    assert total_variation(other, other) == pytest.approx(0)


def test_two_single_laws_have_one_distance():
    distance = total_variation([1, 0], [0, 1])
    assert distance == 1
    assert np.ndim(distance) == 0


def test_the_goodness_of_fit_is_that_of_scipy_where_nothing_is_pooled():
    counts, law = np.array([30, 22, 48]), np.array([0.25, 0.25, 0.5])
    expected = power_divergence(counts, law * 100, lambda_="log-likelihood").pvalue
    assert goodness_of_fit(counts, law) == pytest.approx(expected)


def test_rare_labels_are_pooled_until_five_are_expected():
    law = np.array([0.6, 0.3, 0.04, 0.03, 0.03])
    counts = np.array([58, 33, 3, 1, 5])
    together = power_divergence([58, 33, 9], [60, 30, 10], lambda_="log-likelihood").pvalue
    assert goodness_of_fit(counts, law) == pytest.approx(together)
    # 4 are expected in the pool, which takes in the next.
    law, counts = np.array([0.5, 0.3, 0.16, 0.04]), np.array([47, 30, 18, 5])
    together = power_divergence([47, 30, 23], [50, 30, 20], lambda_="log-likelihood").pvalue
    assert goodness_of_fit(counts, law) == pytest.approx(together)


def test_a_goodness_of_fit_at_its_ends():
    assert goodness_of_fit([5, 1], [1, 0]) == 0
    assert goodness_of_fit([5, 0], [1, 0]) == 1
    assert goodness_of_fit([2, 1], [0.5, 0.5]) == 1
    assert math.isnan(goodness_of_fit([0, 0], [0.5, 0.5]))


@pytest.mark.parametrize(
    ("measure", "arguments", "message"),
    [
        (total_variation, ([[1, 0]], [1, 0, 0]), "over the same labels"),
        (violation_probability, ([1, 0], [1, 0], [[0]]), "images by labels"),
        (gradient_weight, ([[1, 0]], [[1, 0, 0]], [[0]]), "images by labels"),
        (gradient_weight, ([[1, 0]], [[1, 0]], [[0], [1]]), "one array per image"),
        (goodness_of_fit, ([1, 0], [1]), "one entry per label"),
    ],
)
def test_measures_refuse_what_does_not_fit(measure, arguments, message):
    with pytest.raises(InputError, match=message):
        measure(*arguments)


# A sampler at work.


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_has_the_law_of_training_by_rank(name, seen):
    data, images, labels = seen
    own = np.flatnonzero(data.to_csr().toarray()[3])
    law = inspect_sampler(
        SAMPLERS[name](), images[3], labels, own, label_counts=data.label_counts, n_draws=DRAWS, rng=0
    )
    scores = labels.astype(float) @ images[3]
    others = sorted(set(range(15)) - set(own), key=lambda a: -scores[a])
    assert law.labels.tolist() == others
    assert law.scores == pytest.approx(scores[others], rel=1e-5)
    # That of the whole set, where the popularity sampler counts the labels.
    whole = SAMPLERS[name]().law(images, labels, data.to_csr(), label_counts=data.label_counts)[3]
    assert law.law == pytest.approx(whole[others], abs=1e-12)
    assert law.rank_law == pytest.approx(vse.RankSampler().law(images[3:4], labels, [own])[0, others])
    assert law.own_ranks.tolist() == [sum(scores[a] > scores[p] for a in others) for p in own]
    # The draws are of this law, and so are the numbers.
    assert law.n_draws == law.counts.sum() + law.n_given_up == DRAWS
    assert law.p_value == goodness_of_fit(law.counts, law.law) > 1e-9
    assert (law.counts[law.law == 0] == 0).all()
    spread = math.sqrt(DRAWS * law.skip_probability * (1 - law.skip_probability))
    assert abs(law.n_given_up - DRAWS * law.skip_probability) <= 6 * spread + 1
    assert law.from_rank == pytest.approx(np.abs(law.law - law.rank_law).sum() / 2)
    assert law.from_uniform == pytest.approx(np.abs(law.law - 1 / 11).sum() / 2)
    gaps = scores[own, None] - law.scores
    assert law.violation == pytest.approx(((gaps < 1) @ law.law).mean())
    assert law.misranked == pytest.approx(((gaps < 0) @ law.law).mean())
    assert law.gradient_weight == pytest.approx((1 / (1 + np.exp(gaps)) @ law.law).mean())


def test_the_same_seed_gives_a_sampler_the_same_draws(seen):
    _, images, labels = seen
    one, again, other = (
        inspect_sampler(vse.UniformSampler(), images[0], labels, [1, 2], n_draws=100, rng=rng).counts
        for rng in (5, 5, 6)
    )
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_a_sampler_is_held_against_the_rank_law_of_its_own_lambda(seen):
    _, images, labels = seen
    law = inspect_sampler(vse.AdaptiveSampler(lam=0.3), images[0], labels, [1], n_draws=9, rng=0)
    assert law.lam == 0.3
    expected = vse.RankSampler(lam=0.3).law(images[:1], labels, [[1]])[0]
    assert law.rank_law == pytest.approx(expected[law.labels])
    exact = inspect_sampler(vse.RankSampler(lam=0.3), images[0], labels, [1], n_draws=9, rng=0)
    assert exact.from_rank == 0


def test_the_popularity_sampler_takes_labels_for_equally_popular_without_counts(seen):
    _, images, labels = seen
    law = inspect_sampler(vse.PopularitySampler(), images[0], labels, [1, 2], n_draws=9, rng=0)
    assert law.from_uniform == pytest.approx(0)


def test_equal_scores_rank_in_the_order_of_the_labels_for_every_sampler():
    law = inspect_sampler(vse.RankSampler(), [1.0], [[1.0], [2.0], [1.0], [2.0], [1.5]], [4], n_draws=9, rng=0)
    assert law.labels.tolist() == [1, 3, 0, 2]
    assert law.own_ranks.tolist() == [2]
    assert (np.diff(law.law) < 0).all()


def test_a_sampler_that_gives_up_every_draw_has_no_numbers():
    law = inspect_sampler(vse.WarpSampler(), [1.0], [[9.0], [1.0], [2.0]], [0], n_draws=50, rng=0)
    assert (law.n_given_up, law.skip_probability, law.counts.sum(), law.law.sum()) == (50, 1, 0, 0)
    numbers = (law.from_rank, law.from_uniform, law.violation, law.misranked, law.gradient_weight, law.p_value)
    assert all(math.isnan(number) for number in numbers)


def test_own_labels_take_turns_in_any_number_of_draws_of_a_sampler():
    # WARP's law weighs them evenly: label 2 violates against 0 only, label 3 against both.
    labels = [[1.0], [3.0], [0.5], [2.5]]
    law = inspect_sampler(vse.WarpSampler(max_trials=500), [1.0], labels, [0, 1], n_draws=DRAWS + 1, rng=1)
    assert law.n_draws == DRAWS + 1
    assert law.labels.tolist() == [3, 2]
    assert law.law == pytest.approx([0.75, 0.25])
    assert law.p_value > 1e-9


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"own": []}, "the image has no label of its own"),
        ({"own": [0, 1, 2]}, "the image has every label"),
        ({"own": [7]}, r"label columns in 0\.\.2"),
        ({"image_factors": [[1.0]]}, "the vector of one image"),
        ({"image_factors": [1.0, 2.0]}, "same number of factors"),
        ({"image_factors": [np.nan]}, "image_factors must be finite"),
        ({"n_draws": -1}, "n_draws must be a whole number of at least 0"),
        ({"n_draws": 1.5}, "n_draws must be"),
        ({"n_draws": True}, "n_draws must be"),
        ({"label_counts": [1, 2]}, "label_counts must be"),
        ({"label_counts": [1, -2, 3]}, "label_counts must be"),
        ({"label_counts": [1, 0.5, 3]}, "label_counts must be"),
    ],
)
def test_what_a_sampler_cannot_be_inspected_on_is_refused(changed, message):
    arguments = {"image_factors": [1.0], "label_factors": [[1.0], [2.0], [3.0]], "own": [0], "rng": 0} | changed
    with pytest.raises(InputError, match=message):
        inspect_sampler(vse.UniformSampler(), **arguments)


def test_a_law_without_draws_is_the_same_law():
    words = vse.AdaptiveSampler(), [1.0, 0.5], [[9.0, 1.0], [1.0, 2.0], [2.0, 0.0]], [0]
    without, drawn = (inspect_sampler(*words, n_draws=n, rng=0) for n in (0, 50))
    assert (without.n_draws, without.counts.tolist()) == (0, [0, 0])
    assert np.isnan(without.p_value)
    np.testing.assert_array_equal(without.law, drawn.law)
    assert without.from_rank == drawn.from_rank
