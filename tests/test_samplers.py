"""Every sampler: its law against enumeration, its draw against its law, its parameters."""

from __future__ import annotations

import dataclasses

import numba
import numpy as np
import oracle
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2
from strategies import factor_tables

from vsenumba.errors import InputError, UnknownNameError
from vsenumba.kernels.dot import dot
from vsenumba.samplers import MAX_REJECTIONS, SAMPLERS, as_sampler
from vsenumba.samplers.popularity import alias_table
from vsenumba.samplers.rank_law import rank_law

# Without the compiler a draw takes a thousand times longer.
DRAWS = 400 if numba.config.DISABLE_JIT else 20_000

# The whole file's chance of a false alarm stays below 1e-6.
SIGNIFICANCE = 1e-9


@st.composite
def situations(draw):
    """Draw images, labels and which labels each image has."""
    n_factors = draw(st.integers(1, 4))
    images = draw(factor_tables(max_rows=3, factors=n_factors))
    labels = draw(factor_tables(max_rows=9, factors=n_factors))
    sets = st.sets(st.integers(0, len(labels) - 1))
    own = [sorted(draw(sets | st.just(set(range(len(labels)))))) for _ in images]
    return images, labels, own


def law_by_enumeration(sampler, image, labels, own, counts):
    scores = [dot(image, labels, a) for a in range(len(labels))]
    match sampler.name:
        case "uniform":
            return oracle.uniform_law(len(labels), own)
        case "popularity":
            return oracle.popularity_law(counts, sampler.power, own)
        case "warp":
            bound = len(labels) if sampler.max_trials is None else sampler.max_trials
            return oracle.warp_law(scores, own, sampler.margin, bound)
        case "dynamic":
            return oracle.dynamic_law(scores, own, sampler.n_candidates, MAX_REJECTIONS)
        case "rank":
            return oracle.exact_rank_law(scores, sampler.lam, own)
        case "adaptive":
            return oracle.adaptive_law(image, labels, sampler.lam, own)
    raise AssertionError(f"{sampler.name} has no oracle")


def counts_of(own, n_labels):
    flat = [a for one in own for a in one]
    return np.bincount(flat, minlength=n_labels) if flat else np.ones(n_labels, int)


@pytest.mark.parametrize("name", SAMPLERS)
class TestEverySampler:
    @given(situation=situations())
    def test_law_is_the_enumerated_one(self, name, situation):
        images, labels, own = situation
        sampler = SAMPLERS[name]()
        law = sampler.law(images, labels, own)
        counts = counts_of(own, len(labels))
        for i, image in enumerate(images):
            expected = law_by_enumeration(sampler, image, labels, own[i], counts)
            assert law[i] == pytest.approx(expected, rel=1e-6, abs=1e-9)

    @given(situation=situations())
    def test_law_sums_to_one_and_spares_the_images_own_labels(self, name, situation):
        images, labels, own = situation
        law = SAMPLERS[name]().law(images, labels, own)
        for i, mine in enumerate(own):
            assert (law[i, mine] == 0).all()
            # WARP returns nothing where no label violates the margin, popularity where no other label is counted.
            nothing = len(mine) == len(labels) or (name in ("warp", "popularity") and not law[i].any())
            assert law[i].sum() == pytest.approx(0 if nothing else 1)

    @settings(max_examples=20)
    @given(situation=situations(), seed=st.integers(0, 2**32))
    def test_draw_returns_only_what_the_law_allows(self, name, situation, seed):
        images, labels, own = situation
        sampler = SAMPLERS[name]()
        law = sampler.law(images, labels, own)
        drawn = sampler.draw(images, labels, 40, rng=seed, positives=own)
        for i in range(len(images)):
            found = drawn[i][drawn[i] >= 0]
            assert (law[i, found] > 0).all()

    @pytest.mark.parametrize("seed", range(2))
    def test_draw_fits_the_law(self, name, seed):
        rng = np.random.default_rng(seed)
        images = rng.standard_normal((3, 5)).astype(np.float32)
        labels = rng.standard_normal((12, 5)).astype(np.float32)
        own = [[0, 3], [7], list(range(10))]
        law = SAMPLERS[name]().law(images, labels, own)
        drawn = SAMPLERS[name]().draw(images, labels, DRAWS, rng=seed, positives=own)
        for i in range(3):
            found = drawn[i][drawn[i] >= 0]
            assert goodness_of_fit(np.bincount(found, minlength=12), law[i]) > SIGNIFICANCE

    def test_draws_do_not_depend_on_the_number_of_threads(self, name):
        rng = np.random.default_rng(0)
        images, labels = rng.standard_normal((9, 4)), rng.standard_normal((20, 4))
        sampler = SAMPLERS[name]()
        own = sp.random_array((9, 20), density=0.2, rng=rng).tocsr()
        before = numba.get_num_threads()
        drawn = []
        for n_threads in (1, before):
            numba.set_num_threads(n_threads)
            drawn.append(sampler.draw(images, labels, 30, rng=3, positives=own))
        assert np.array_equal(*drawn)

    def test_without_positives_every_label_can_be_drawn(self, name):
        images, labels = np.eye(2, 3), np.eye(4, 3)
        assert (SAMPLERS[name]().law(images, labels) > 0).all()
        assert (SAMPLERS[name]().draw(images, labels, 9, rng=0) >= 0).all()

    def test_an_image_that_has_every_label_gets_none(self, name):
        drawn = SAMPLERS[name]().draw(np.ones((1, 2)), np.eye(2), 5, rng=0, positives=[[0, 1]])
        assert (drawn == -1).all()
        assert (SAMPLERS[name]().law(np.ones((1, 2)), np.eye(2), [[0, 1]]) == 0).all()

    def test_parameters_are_frozen_and_keyword_only(self, name):
        sampler = SAMPLERS[name]()
        assert as_sampler(name) == sampler
        assert as_sampler(sampler) is sampler
        for field in dataclasses.fields(sampler):
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(sampler, field.name, 1)
        with pytest.raises(TypeError):
            SAMPLERS[name](0.5)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ((np.ones((2, 3)), np.ones((4, 2))), "must have the same number of factors, not 3 and 2"),
            ((np.ones((2, 3)), np.full((4, 3), np.nan)), "label_factors must be finite; row 0"),
            ((np.full((2, 3), 1e39), np.ones((4, 3))), "image_factors must be finite; row 0"),
            ((np.ones(3), np.ones((4, 3))), "image_factors must be a table"),
            ((np.ones((2, 0)), np.ones((4, 0))), "image_factors must be a table"),
            ((np.ones((2, 3)), np.ones((0, 3))), "label_factors has no rows"),
            ((np.ones((2, 3)), np.ones((4, 3)), [[1]]), "one array per image"),
            ((np.ones((2, 3)), np.ones((4, 3)), [[1], [4]]), "label columns in 0..3, found 1..4"),
            ((np.ones((2, 3)), np.ones((4, 3)), sp.csr_array((4, 2))), "did you pass the transpose?"),
            ((np.ones((2, 3)), np.ones((4, 3)), sp.csr_array((3, 3))), "must be images by labels"),
        ],
    )
    def test_bad_arguments_are_refused_by_name(self, name, arguments, message):
        with np.errstate(over="ignore"), pytest.raises(InputError, match=message.replace("?", r"\?")):
            SAMPLERS[name]().law(*arguments)


def goodness_of_fit(counts, law):
    """Return the G-test's p-value of counts under a law; cells that the law expects fewer than 5 of are pooled."""
    expected = law * counts.sum()
    assert counts[law == 0].sum() == 0
    rare = expected < 5
    cells = [(c, e) for c, e in zip(counts[~rare], expected[~rare], strict=True)]
    if expected[rare].sum() > 0:
        cells.append((counts[rare].sum(), expected[rare].sum()))
    statistic = 2 * sum(c * np.log(c / e) for c, e in cells if c > 0)
    return chi2.sf(statistic, len(cells) - 1) if len(cells) > 1 else 1.0


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


@given(st.floats(0.001, 50), st.integers(1, 40))
def test_the_rank_law_is_geometric(lam, n_labels):
    assert rank_law(lam, n_labels) == pytest.approx(oracle.geometric_law(lam, n_labels), abs=1e-12)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("adaptive", {"lam": 0}, "lam must be a positive, finite fraction"),
        ("adaptive", {"lam": -1.0}, "lam must be"),
        ("rank", {"lam": float("nan")}, "lam must be"),
        ("rank", {"lam": float("inf")}, "lam must be"),
        ("rank", {"lam": "0.1"}, "lam must be"),
        ("adaptive", {"refresh_every": 0}, "refresh_every must be a whole number"),
        ("popularity", {"power": -0.1}, r"power must lie in 0..4"),
        ("popularity", {"power": float("nan")}, r"power must lie in 0..4"),
        ("warp", {"max_trials": 0}, "max_trials must be a whole number"),
        ("warp", {"margin": float("inf")}, "margin must be finite"),
        ("dynamic", {"n_candidates": 0}, "n_candidates must be a whole number"),
        ("dynamic", {"n_candidates": 1.5}, "n_candidates must be a whole number"),
    ],
)
def test_bad_parameters_are_refused_by_name(name, parameters, message):
    with pytest.raises(InputError, match=message):
        SAMPLERS[name](**parameters)


def test_an_unknown_sampler_suggests_the_nearest():
    with pytest.raises(UnknownNameError, match="unknown sampler 'adaptve'; did you mean 'adaptive'"):
        as_sampler("adaptve")
    with pytest.raises(InputError, match="sampler must be a sampler or a name, not 3"):
        as_sampler(3)


def test_the_adaptive_sampler_refreshes_after_l_ln_l_draws():
    assert SAMPLERS["adaptive"]().refresh_interval(5000, epoch=1) == 42_586
    assert SAMPLERS["adaptive"]().refresh_interval(5000, epoch=3) == 127_758
    assert SAMPLERS["adaptive"](refresh_every=7).refresh_interval(5000, epoch=3) == 7
    assert SAMPLERS["adaptive"]().refresh_interval(1, epoch=1) == 1
    assert SAMPLERS["uniform"]().refresh_interval(5000, epoch=1) is None


def test_warp_gives_up_where_no_label_violates_the_margin():
    images, labels = np.ones((1, 1)), np.array([[5.0], [1.0], [1.0]])
    assert (SAMPLERS["warp"]().draw(images, labels, 9, rng=0, positives=[[0]]) == -1).all()
    assert (SAMPLERS["warp"]().law(images, labels, [[0]]) == 0).all()
    assert SAMPLERS["warp"](margin=4.5).law(images, labels, [[0]]).tolist() == [[0, 0.5, 0.5]]
