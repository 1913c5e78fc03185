"""Every sampler: its law and its chance of giving up against enumeration, its parameters, what it refuses.

What samplers draw is held to the law in ``test_sampler_draws.py``.
"""

from __future__ import annotations

import dataclasses

import numba
import numpy as np
import oracle
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sampler_variants import VARIANTS, counts_of, enumerated
from strategies import situations

from vsenumba.errors import InputError, UnknownNameError
from vsenumba.samplers import SAMPLERS, AdaptiveSampler, RankSampler, WarpSampler, as_sampler
from vsenumba.samplers.popularity import alias_table
from vsenumba.samplers.rank_law import RANK_LAWS, rank_law

EXAMPLES = 6 if numba.config.DISABLE_JIT else 25


@pytest.mark.parametrize("variant", VARIANTS)
class TestEveryVariant:
    @settings(max_examples=EXAMPLES)
    @given(situation=situations())
    def test_law_and_giving_up_are_the_enumerated_ones(self, variant, situation):
        images, labels, own = situation
        sampler = VARIANTS[variant]
        law = sampler.law(images, labels, own)
        skip = sampler.skip_probability(images, labels, own)
        counts = counts_of(own, len(labels))
        for i, image in enumerate(images):
            expected, given_up = enumerated(sampler, image, labels, own[i], counts)
            assert law[i] == pytest.approx(expected, rel=1e-6, abs=1e-9)
            assert skip[i] == pytest.approx(given_up, abs=1e-12)
            assert 0 <= skip[i] <= 1

    @settings(max_examples=EXAMPLES)
    @given(situation=situations(), seed=st.integers(0, 2**32))
    def test_law_sums_to_one_and_spares_the_images_own_labels(self, variant, situation, seed):
        images, labels, own = situation
        sampler = VARIANTS[variant]
        law = sampler.law(images, labels, own)
        skip = sampler.skip_probability(images, labels, own)
        drawn = sampler.draw(images, labels, 20, rng=seed, positives=own)
        for i, mine in enumerate(own):
            assert (law[i] >= 0).all()
            assert (law[i, mine] == 0).all()
            if law[i].any():
                assert law[i].sum() == pytest.approx(1)
            else:
                # Only where nothing can be returned.
                assert skip[i] == pytest.approx(1)
            found = drawn[i][drawn[i] >= 0]
            assert (law[i, found] > 0).all()
            assert skip[i] < 1 or len(found) == 0

    def test_without_positives_every_label_that_is_tried_can_be_drawn(self, variant):
        images, labels = np.eye(2, 3), np.eye(3)
        sampler = VARIANTS[variant]
        law = sampler.law(images, labels)
        drawn = sampler.draw(images, labels, 9, rng=0)
        if getattr(sampler, "search", None) == "in order":
            # The first label is always tried first, and there is no positive that it could fail to outscore.
            assert law.tolist() == [[1, 0, 0]] * 2
            assert (drawn == 0).all()
        else:
            assert law.sum(axis=1) == pytest.approx(1)
            assert (law > 0).all()
            assert (drawn >= 0).all()
        assert (sampler.skip_probability(images, labels) == 0).all()

    def test_an_image_that_has_every_label_gets_none(self, variant):
        arguments = np.ones((1, 2)), np.eye(2)
        sampler = VARIANTS[variant]
        assert (sampler.draw(*arguments, 5, rng=0, positives=[[0, 1]]) == -1).all()
        assert (sampler.law(*arguments, [[0, 1]]) == 0).all()
        assert sampler.skip_probability(*arguments, [[0, 1]]) == pytest.approx(1)

    def test_own_labels_are_given_by_lists_or_by_a_sparse_matrix(self, variant):
        rng = np.random.default_rng(0)
        images, labels = rng.standard_normal((3, 2)), rng.standard_normal((6, 2))
        lists = [[0, 3], [], [5]]
        # In any order, and more than once.
        matrix = sp.coo_array(([1, 1, 1, 1], ([2, 0, 0, 0], [5, 3, 0, 3])), shape=(3, 6))
        for method in (law, draw, skip_probability):
            sampler = VARIANTS[variant]
            assert np.array_equal(method(sampler, images, labels, lists), method(sampler, images, labels, matrix))

    def test_no_images_have_an_empty_law(self, variant):
        arguments = np.ones((0, 2)), np.eye(2)
        assert VARIANTS[variant].law(*arguments).shape == (0, 2)
        assert VARIANTS[variant].skip_probability(*arguments).shape == (0,)
        assert VARIANTS[variant].draw(*arguments, 5, rng=0).shape == (0, 5)


def law(sampler, images, labels, positives=None):
    return sampler.law(images, labels, positives)


def draw(sampler, images, labels, positives=None):
    return sampler.draw(images, labels, 3, rng=0, positives=positives)


def skip_probability(sampler, images, labels, positives=None):
    return sampler.skip_probability(images, labels, positives)


@pytest.mark.parametrize("name", SAMPLERS)
class TestEverySampler:
    def test_parameters_are_frozen_and_keyword_only(self, name):
        sampler = SAMPLERS[name]()
        assert as_sampler(name) == sampler
        assert as_sampler(sampler) is sampler
        for field in dataclasses.fields(sampler):
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(sampler, field.name, 1)
        with pytest.raises(TypeError):
            SAMPLERS[name](0.5)

    @pytest.mark.parametrize("method", [law, draw, skip_probability])
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ((np.ones((2, 3)), np.ones((4, 2))), "must have the same number of factors, not 3 and 2"),
            ((np.ones((2, 3)), np.full((4, 3), np.nan)), "label_factors must be finite; row 0"),
            ((np.array([[1.0], [np.inf]]), np.ones((4, 1))), "image_factors must be finite; row 1"),
            ((np.full((2, 3), 1e39), np.ones((4, 3))), "image_factors must be finite; row 0"),
            ((np.full((2, 3), 1e20), np.full((4, 3), 1e20)), "are too large: scores could reach 3.0e+40"),
            ((np.full((2, 3), 1e19), np.full((4, 3), -1e19)), "are too large: scores could reach 3.0e+38"),
            ((np.ones(3), np.ones((4, 3))), "image_factors must be a table"),
            ((np.ones((2, 0)), np.ones((4, 0))), "image_factors must be a table"),
            ((np.ones((2, 3)), np.ones((0, 3))), "label_factors has no rows"),
            ((np.ones((2, 3)), np.ones((4, 3)), [[1]]), "one array per image"),
            ((np.ones((2, 3)), np.ones((4, 3)), [[1], [4]]), "label columns in 0..3, found 1..4"),
            ((np.ones((2, 3)), np.ones((4, 3)), [[-1], [2]]), "label columns in 0..3, found -1..2"),
            ((np.ones((2, 3)), np.ones((4, 3)), sp.csr_array((4, 2))), "did you pass the transpose?"),
            ((np.ones((2, 3)), np.ones((4, 3)), sp.csr_array((3, 3))), "must be images by labels"),
        ],
    )
    def test_bad_arguments_are_refused_by_name_before_anything_is_drawn(
        self, name, arguments, message, method, monkeypatch
    ):
        def state(*_):
            raise AssertionError("a state was made")

        monkeypatch.setattr(SAMPLERS[name], "state", state)
        with np.errstate(over="ignore"), pytest.raises(InputError) as error:
            method(SAMPLERS[name](), *arguments)
        assert message in str(error.value)

    @pytest.mark.parametrize("counts", [[1, 2], [1, -2, 3], [1.0, 2.0, 3.0], [[1, 2, 3]], "123"])
    def test_bad_label_counts_are_refused_by_name(self, name, counts):
        arguments = np.ones((1, 1)), np.ones((3, 1))
        sampler = SAMPLERS[name]()
        for method in (sampler.law, sampler.skip_probability, lambda *a, **k: sampler.draw(*a, 3, **k)):
            with pytest.raises(InputError, match=r"label_counts must be one whole number >= 0 per label \(3\)"):
                method(*arguments, label_counts=counts)

    def test_factors_just_below_too_large_are_taken(self, name):
        arguments = np.full((1, 3), 5e18), np.array([[5e18] * 3, [-5e18] * 3, [0] * 3])
        assert law(SAMPLERS[name](), *arguments).sum() == pytest.approx(1)
        assert (draw(SAMPLERS[name](), *arguments) >= 0).all()


@given(st.lists(st.integers(0, 50), min_size=1, max_size=12).filter(any))
def test_alias_tables_hold_the_distribution(masses):
    masses = np.array(masses, dtype=float)
    keep, alias = alias_table(masses)
    share = np.zeros(len(masses))
    for column in range(len(masses)):
        share[column] += keep[column] / len(masses)
        share[alias[column]] += (1 - keep[column]) / len(masses)
    assert share == pytest.approx(masses / masses.sum(), abs=1e-12)
    assert (share[masses == 0] == 0).all()


@pytest.mark.parametrize("kind", RANK_LAWS)
@given(lam=st.floats(0.001, 50), n_labels=st.integers(1, 40))
def test_the_rank_law_is_the_enumerated_one(kind, lam, n_labels):
    assert rank_law(lam, n_labels, kind) == pytest.approx(oracle.RANK_LAWS[kind](lam, n_labels), abs=1e-12)


@given(lam=st.floats(0.05, 0.9), n_labels=st.integers(30, 60))
def test_the_staircase_is_the_authors_but_for_both_ends(lam, n_labels):
    """It was called the authors' law, whose first and last rank are never drawn and whose ranks count from 1."""
    ours, theirs = rank_law(lam, n_labels, "staircase"), np.array(oracle.authors_law(lam, n_labels))
    assert theirs[[0, -1]].tolist() == [0, 0]
    step = int(lam * (n_labels - 1))
    if step == int(lam * n_labels):
        assert theirs[1:-1] == pytest.approx(ours[2:] / ours[2:].sum(), abs=1e-12)
    if step > 2:
        assert (theirs[1:-1] == theirs[1]).sum() == step - 2


def test_how_far_the_authors_law_of_ranks_is_from_the_staircase():
    """The two numbers of docs/explanation/samplers.md."""
    for lam, distance in ((0.05, 0.0097), (0.001, 0.316)):
        theirs = np.array(oracle.authors_law(lam, 2607))
        assert np.abs(rank_law(lam, 2607, "staircase") - theirs).sum() / 2 == pytest.approx(distance, abs=5e-4)


@pytest.mark.parametrize("kind", RANK_LAWS)
@pytest.mark.parametrize("lam", [1e15, 1e300, 1.7e308])
def test_the_rank_law_of_a_large_lam_is_uniform(kind, lam):
    assert rank_law(lam, 7, kind) == pytest.approx(1 / 7)


def test_the_adaptive_law_is_uniform_where_no_factor_says_anything():
    # A product that is too small for float32 says nothing either.
    labels = np.array([[1e-45, 0.0], [0.0, 1.0], [0.0, -1.0]], np.float32)
    for image in ([0.0, 0.0], [1.0, 0.0], [1e-45, 0.0]):
        assert AdaptiveSampler(spread="variance").law([image], labels) == pytest.approx(1 / 3)
    assert AdaptiveSampler().law([[0.0, 1e-45]], labels)[0, 1] > 0.99


def test_a_constant_factor_is_never_ranked_by():
    rng = np.random.default_rng(0)
    for n_labels in (3, 7, 49, 100):
        labels = rng.standard_normal((n_labels, 2)).astype(np.float32)
        labels[:, 0] = 0.1
        only = AdaptiveSampler().law([[0.0, 2.0]], labels)
        assert np.array_equal(AdaptiveSampler().law([[9.0, 2.0]], labels), only)
        assert AdaptiveSampler().law([[9.0, 0.0]], labels) == pytest.approx(1 / n_labels)


LAM = "lam must be a positive, finite fraction of the number of labels, not "
BAD_LAMS = [0, 0.0, -1.0, float("nan"), float("inf"), True, np.True_, "0.1", None]
BAD_WHOLE_NUMBERS = [0, -1, 1.5, float("nan"), float("inf"), "x", "3", True]


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        *[("adaptive", {"lam": lam}, LAM + repr(lam)) for lam in BAD_LAMS],
        *[("rank", {"lam": lam}, LAM + repr(lam)) for lam in BAD_LAMS],
        *[("adaptive", {"refresh_every": n}, "refresh_every must be a whole number") for n in BAD_WHOLE_NUMBERS],
        *[("warp", {"max_trials": n}, "max_trials must be a whole number") for n in BAD_WHOLE_NUMBERS],
        *[("dynamic", {"n_candidates": n}, "n_candidates must be a whole number") for n in BAD_WHOLE_NUMBERS],
        ("dynamic", {"n_candidates": 10**9}, "n_candidates must be at most 100,000, not 1000000000"),
        ("adaptive", {"n_candidates": 10**9}, "n_candidates must be at most 100,000, not 1000000000"),
        *[("adaptive", {"n_candidates": n}, "n_candidates must be a whole number") for n in BAD_WHOLE_NUMBERS],
        *[
            ("popularity", {"power": power}, f"power must be from 0 to 4, not {power!r}")
            for power in (-0.1, 4.1, float("nan"), float("inf"), "0.75", True, None)
        ],
        *[
            ("warp", {"margin": margin}, f"margin must be finite and at least 0, not {margin!r}")
            for margin in (-0.1, float("nan"), float("inf"), "1", True, None)
        ],
    ],
)
def test_bad_parameters_are_refused_by_name(name, parameters, message):
    with pytest.raises(InputError) as error:
        SAMPLERS[name](**parameters)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("adaptive", {"spread": "varience"}, "unknown spread 'varience'; did you mean 'variance'?"),
        ("adaptive", {"rank_law": "stair"}, "unknown rank_law 'stair'; did you mean 'staircase'?"),
        ("warp", {"search": "inorder"}, "unknown search 'inorder'; did you mean 'in order'?"),
        ("warp", {"search": 3}, "unknown search '3'; choose from random, in order"),
    ],
)
def test_an_unknown_choice_suggests_the_nearest(name, parameters, message):
    with pytest.raises(UnknownNameError) as error:
        SAMPLERS[name](**parameters)
    assert str(error.value) == message


def test_an_unknown_sampler_suggests_the_nearest():
    with pytest.raises(UnknownNameError, match="unknown sampler 'adaptve'; did you mean 'adaptive'"):
        as_sampler("adaptve")
    with pytest.raises(InputError, match="sampler must be a name or an instance of Sampler, not 3"):
        as_sampler(3)


def test_the_adaptive_sampler_refreshes_after_l_ln_l_draws_and_no_sooner_than_two_threads_have_work():
    assert SAMPLERS["adaptive"]().refresh_interval(5000, epoch=1) == 42_586
    assert SAMPLERS["adaptive"]().refresh_interval(5000, epoch=3) == 127_758
    assert SAMPLERS["adaptive"](refresh_every=7).refresh_interval(5000, epoch=3) == 7
    assert SAMPLERS["adaptive"]().refresh_interval(1, epoch=1) == 8_192
    assert SAMPLERS["adaptive"]().refresh_interval(81, epoch=23) == 8_192
    assert SAMPLERS["adaptive"]().refresh_interval(81, epoch=24) == 8_543
    assert SAMPLERS["uniform"]().refresh_interval(5000, epoch=1) is None


def test_warp_gives_up_where_no_label_violates_the_margin():
    images, labels = np.ones((1, 1)), np.array([[5.0], [1.0], [1.0]])
    assert (SAMPLERS["warp"]().draw(images, labels, 9, rng=0, positives=[[0]]) == -1).all()
    assert (SAMPLERS["warp"]().law(images, labels, [[0]]) == 0).all()
    assert SAMPLERS["warp"](margin=4.5).law(images, labels, [[0]]).tolist() == [[0, 0.5, 0.5]]


def test_warp_tries_thirty_labels_unless_told_otherwise():
    """It tried as many as there were: thousands for an update once a model was good, for a worse model."""
    images, labels = np.ones((1, 1)), np.zeros((1000, 1))
    labels[0], labels[1] = 5.0, 4.5  # of a thousand, one violates the margin
    for sampler, n_trials in ((WarpSampler(), 30), (WarpSampler(max_trials=None), 1000)):
        assert sampler.skip_probability(images, labels, [[0]]) == pytest.approx((1 - 1 / 1000) ** n_trials)


def test_warp_in_order_returns_the_first_violator_among_those_it_may_try():
    images, labels = np.ones((1, 1)), np.array([[0.0], [3.0], [9.0], [9.0]])
    for max_trials, expected in ((None, [0, 0, 1, 0]), (3, [0, 0, 1, 0]), (2, [0, 0, 0, 0]), (99, [0, 0, 1, 0])):
        sampler = WarpSampler(search="in order", max_trials=max_trials, margin=1.0)
        assert sampler.law(images, labels, [[3]]).tolist() == [expected]
        assert sampler.skip_probability(images, labels, [[3]]).tolist() == [float(not any(expected))]


def test_lam_takes_any_kind_of_number():
    for lam in (1, 0.5, np.float32(0.5), np.int64(2)):
        assert RankSampler(lam=lam).law(np.ones((1, 1)), np.ones((3, 1))).sum() == pytest.approx(1)


@pytest.mark.parametrize("size", [-1, 1.5, None, True])
def test_a_number_of_draws_is_a_whole_one(size):
    with pytest.raises(InputError, match="size must be a whole number of at least 0, not"):
        SAMPLERS["uniform"]().draw(np.ones((1, 2)), np.ones((3, 2)), size)


def test_a_state_of_other_labels_is_not_refreshed():
    """Found 2026-11: orders of three labels were written for those of five, past their end."""
    sampler = SAMPLERS["adaptive"]()
    state = sampler.state(np.ones(3, np.int64), 2, 1)
    with pytest.raises(InputError, match=r"label_factors must have the shape \(3, 2\), not \(5, 2\)"):
        sampler.refresh(state, np.ones((5, 2), np.float32))
