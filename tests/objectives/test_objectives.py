"""Every objective: loss against the oracle, gradients against finite differences of the oracle."""

from __future__ import annotations

import numpy as np
import oracle_retrieval as oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsenumba.errors import InputError, UnknownNameError
from vsenumba.objectives import (
    LSEH,
    NEGATIVES,
    OBJECTIVES,
    AdaptiveNegatives,
    AdOpt,
    ConstantK,
    ConstantNegatives,
    InfoNCE,
    MaxOfHinges,
    MixedNegatives,
    RandomK,
    RandomNegatives,
    SemanticMargin,
    SemiHardNegatives,
    SumOfHinges,
    as_negatives,
    as_objective,
)
from vsenumba.objectives.objective import query_loss

# For each, how the loss is made and how many negatives a query has in a batch; None for what the batch decides.
CASES = {
    "sum-of-hinges": (SumOfHinges(), "hinges", lambda scores: len(scores) - 1),
    "max-of-hinges": (MaxOfHinges(), "hinges", lambda scores: 1),
    "adopt": (AdOpt(), "entropy", oracle.adopt_group),
    "constant-k": (ConstantK(negatives=ConstantNegatives(k=2)), "entropy", lambda scores: 2),
    "random-k": (RandomK(negatives=RandomNegatives(k=100)), "entropy", lambda scores: 100),
    "infonce": (InfoNCE(), "entropy", lambda scores: len(scores) - 1),
    "lseh": (LSEH(), "hinges", lambda scores: 1),
    "sum-of-hinges, semantic": (SumOfHinges(margin=SemanticMargin(weight=0.3)), "hinges", lambda scores: 100),
    "lseh, adaptive": (LSEH(negatives="adaptive"), "hinges", oracle.adopt_group),
    "adopt, semantic": (AdOpt(margin=SemanticMargin(weight=0.3)), "entropy", oracle.adopt_group),
}


def test_every_objective_has_a_case():
    assert {name.partition(",")[0] for name in CASES} == set(OBJECTIVES)


def batch(seed, n=5):
    """Return cosines, what captions are about, and which pairs show one image: two of them do."""
    rng = np.random.default_rng(seed)
    scores = rng.uniform(-1, 1, (n, n)).astype(np.float32)
    same = np.eye(n, dtype=bool)
    same[0, 1] = same[1, 0] = n > 2
    return scores, rng.uniform(0, 1, (n, 3)), same


def loss_by_oracle(name, scores, semantics, same, size):
    objective, kind, _ = CASES[name]
    margin = objective.margin
    if isinstance(margin, SemanticMargin):
        margins = oracle.semantic_margins(semantics.tolist(), margin.base, margin.weight)
    else:
        margins = [[margin] * len(scores) for _ in scores]
    temperature = getattr(objective, "temperature", None)
    return oracle.objective_loss(kind, np.asarray(scores, float).tolist(), margins, same.tolist(), size, temperature)


@pytest.mark.parametrize("name", CASES)
class TestEveryObjective:
    @given(seed=st.integers(0, 10_000), n=st.integers(2, 8))
    def test_loss(self, name, seed, n):
        scores, semantics, same = batch(seed, n)
        objective, _, size_of = CASES[name]
        size = size_of(scores.astype(float).tolist())
        loss, _, group_size = objective.batch_loss(scores, same=same, semantics=semantics, rng=0)
        assert group_size == min(size, n - 1)
        assert loss == pytest.approx(loss_by_oracle(name, scores, semantics, same, size), rel=1e-5, abs=1e-6)

    @pytest.mark.parametrize("seed", range(3))
    def test_gradient(self, name, seed):
        scores, semantics, same = batch(seed)
        objective, _, size_of = CASES[name]
        # The size has no gradient: it is what it is at these scores.
        size = size_of(scores.astype(float).tolist())
        expected = oracle.slopes(lambda moved: loss_by_oracle(name, moved, semantics, same, size), scores)
        _, gradient, _ = objective.batch_loss(scores, same=same, semantics=semantics, rng=0)
        assert np.allclose(gradient, expected, atol=1e-3)

    def test_a_match_that_is_far_ahead_costs_nothing(self, name):
        objective, _, _ = CASES[name]
        loss, gradient, _ = objective.batch_loss(2 * np.eye(4) - 1, semantics=np.eye(4), rng=0)
        assert loss == pytest.approx(0, abs=1e-6)
        assert np.allclose(gradient, 0, atol=1e-6)

    def test_by_name(self, name):
        assert isinstance(as_objective(name.partition(",")[0]), type(CASES[name][0]))


@given(seed=st.integers(0, 1000), n=st.integers(2, 40))
def test_adopt_s_group(seed, n):
    scores = np.random.default_rng(seed).uniform(-1, 1, (n, n))
    assert AdaptiveNegatives().group_size(scores) == max(oracle.adopt_group(scores.tolist()), 1)


def test_adopt_s_group_for_the_paper_s_batch():
    # align + uniform of 1.0, 1.15, 1.25 and 1.435, uniform being 1 where all other cosines are 0.
    for align, size in ((0.0, 70), (0.15, 48), (0.25, 32), (0.436, 1)):
        scores = np.diag(np.full(128, align))
        assert AdaptiveNegatives().group_size(scores) == size


def test_random_negatives_are_the_seed_s_and_differ_between_seeds():
    scores, _, _ = batch(0, 30)
    objective = RandomK(negatives=RandomNegatives(k=3))
    first, again, other = (objective.batch_loss(scores, rng=seed).loss for seed in (1, 1, 2))
    assert first == again != other


def negatives_of(rule, scores, same, seed=0):
    """Return the negatives of each row's query."""
    excluded = same | np.eye(len(scores), dtype=bool)
    preference = rule.preference(scores, excluded, np.random.default_rng(seed))
    falling = np.argsort(np.where(excluded, np.inf, -preference), axis=1)
    counts = np.minimum(rule.group_size(scores), (~excluded).sum(axis=1))
    return [set(row[:n].tolist()) for row, n in zip(falling, counts, strict=True)]


@given(seed=st.integers(0, 1000), n=st.integers(3, 12), k=st.integers(1, 4))
def test_semi_hard_negatives_are_the_best_below_the_match(seed, n, k):
    scores, _, same = batch(seed, n)
    expected = [set(oracle.semi_hard_negatives(scores.tolist(), same.tolist(), i, k)) for i in range(n)]
    assert negatives_of(SemiHardNegatives(k=k), scores, same) == expected


@given(seed=st.integers(0, 1000), n=st.integers(3, 12), k=st.integers(1, 6), hardness=st.sampled_from([0, 0.5, 1]))
def test_mixed_negatives_hold_the_hardest(seed, n, k, hardness):
    scores, _, same = batch(seed, n)
    found = negatives_of(MixedNegatives(k=k, hardness=hardness), scores, same, seed)
    margins = np.zeros((n, n)).tolist()
    hard = round(hardness * k)
    for i, negatives in enumerate(found):
        assert set(oracle.chosen_negatives(scores.tolist(), margins, same.tolist(), i, hard)) <= negatives
        assert len(negatives) == min(k, n - 1 - (same[i].sum() - 1))


def test_mixed_negatives_differ_between_seeds():
    scores, _, same = batch(0, 30)
    assert negatives_of(MixedNegatives(), scores, same, 0) != negatives_of(MixedNegatives(), scores, same, 1)


@pytest.mark.parametrize("rule", ["mixed", "semi-hard"])
def test_rules_of_choice_serve_every_objective(rule):
    scores, semantics, same = batch(0, 8)
    for objective in (SumOfHinges(negatives=rule), AdOpt(negatives=rule), LSEH(negatives=rule)):
        loss, gradient, size = objective.batch_loss(scores, same=same, semantics=semantics, rng=0)
        assert np.isfinite(loss)
        assert np.abs(gradient).sum() > 0
        assert size == (7 if rule == "mixed" else 1)


def test_equal_scores_give_the_loss_of_the_collapse():
    # What VSE++'s users report as 51.2: 2 * 128 * 0.2.
    assert MaxOfHinges().batch_loss(np.ones((128, 128))).loss == pytest.approx(51.2, rel=1e-5)


def test_one_image_has_no_negatives():
    loss, gradient, _ = SumOfHinges().batch_loss(np.zeros((1, 1)))
    assert loss == 0
    assert gradient.tolist() == [[0]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SumOfHinges(margin=-0.1), "margin must be finite and at least 0"),
        (lambda: SemanticMargin(weight=float("nan")), "weight must be finite"),
        (lambda: AdOpt(temperature=0), "temperature must be positive"),
        (lambda: AdOpt(negatives="hardst"), "did you mean 'hardest'"),
        (lambda: ConstantNegatives(k=0), "k must be a whole number"),
        (lambda: RandomNegatives(k="a"), "k must be a whole number"),
        (lambda: MixedNegatives(hardness=1.1), "hardness must be from 0 to 1"),
        (lambda: SemiHardNegatives(k=0), "k must be a whole number"),
        (lambda: LSEH().batch_loss(np.zeros((2, 2))), "pass semantics"),
        (lambda: SumOfHinges().batch_loss(np.zeros((2, 3))), "scores must be square"),
        (lambda: SumOfHinges().batch_loss(np.zeros((2, 2)), same=np.eye(3, dtype=bool)), r"same must have the shape"),
        (lambda: as_objective("lse"), "did you mean 'lseh'"),
        (lambda: as_negatives(1), "negatives must be a name or an instance of Negatives"),
    ],
)
def test_bad_settings(make, message):
    with pytest.raises((InputError, UnknownNameError), match=message):
        make()


def test_only_semantic_margins_need_semantics():
    assert [LSEH().needs_semantics, AdOpt().needs_semantics] == [True, False]


def test_a_state_of_no_objective():
    with pytest.raises(TypeError, match="no objective is computed from a str"):
        query_loss("state", None, None, 0, None, 0, None)


def test_every_rule_has_a_name():
    assert set(NEGATIVES) == {"all", "hardest", "adaptive", "constant", "random", "mixed", "semi-hard"}
