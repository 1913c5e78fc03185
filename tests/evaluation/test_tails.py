"""Tails: propensity-scored metrics, and scores by label and by popularity, against their formulas in plain loops."""

from __future__ import annotations

import math

import numpy as np
import oracle
import pytest
from fixed_scores import FixedScorer, matrix_of, problems
from hypothesis import given
from hypothesis import strategies as st

import vsenumba as vse
from vsenumba.errors import InputError, UnknownNameError
from vsenumba.evaluation import evaluate
from vsenumba.evaluation.grouping import bucket_bounds
from vsenumba.evaluation.propensity import inverse_propensities

KS = (1, 2, 3, 100)
PAIR_METRICS = ("mrr", "auc", *(f"recall@{k}" for k in KS))
COUNTS = st.sampled_from([0, 1, 3, 4, 10, 11, 30, 31, 100, 101, 5000])


class Trained(FixedScorer):
    """A model whose scores are given, and how many of so many training images have each label."""

    def __init__(self, scores, counts, n_images=10_000, label_names=None):
        super().__init__(scores, label_names)
        lists = [np.flatnonzero(np.asarray(counts) > image) for image in range(n_images)]
        self.seen_ = vse.AnnotationSet(
            np.cumsum([0, *map(len, lists)]), np.concatenate(lists), len(counts), label_names=self.label_names
        )


def as_images(scores, test, excluded):
    return [
        (scores[i], list(np.flatnonzero(test[i])), set(np.flatnonzero(excluded[i])))
        for i in np.flatnonzero(test.any(axis=1))
    ]


@given(st.lists(st.integers(0, 10**6), min_size=1), st.integers(3, 10**8), st.floats(0.1, 2), st.floats(0.1, 5))
def test_inverse_propensities_are_those_of_the_formula(counts, n_images, a, b):
    expected = [oracle.inverse_propensity(count, n_images, a, b) for count in counts]
    np.testing.assert_allclose(inverse_propensities(np.array(counts), n_images, (a, b)), expected)
    assert min(expected) >= 1


@given(problems(), st.data())
def test_propensity_scored_metrics_agree_with_their_formulas(problem, data):
    scores, test, excluded = problem
    counts = [data.draw(COUNTS) for _ in range(scores.shape[1])]
    a_b = data.draw(st.sampled_from([(0.55, 1.5), (0.6, 2.6)]))
    model = Trained(scores, counts)
    names = [f"{family}@{k}" for family in ("psp", "psndcg") for k in KS]
    result = evaluate(model, test, exclude=excluded, metrics=names, propensity=a_b)
    weights = [oracle.inverse_propensity(count, 10_000, *a_b) for count in counts]
    images = as_images(scores, test, excluded)
    for k in KS:
        expected = oracle.propensity_precision_at(images, weights, k)
        assert result.mean[f"psp@{k}"] == pytest.approx(expected, rel=1e-12)
        expected = oracle.propensity_ndcg_at(images, weights, k)
        assert result.mean[f"psndcg@{k}"] == pytest.approx(expected, rel=1e-12)
    for name in names:
        assert result.per_image[name].mean() == pytest.approx(result.mean[name])
        assert 0 <= result.mean[name] <= 1 + 1e-12


@given(problems())
def test_a_perfect_model_reaches_the_best(problem):
    _, test, excluded = problem
    # Test labels that are rarer score higher.
    counts = np.arange(test.shape[1])
    scores = test * (10.0 - counts) + 99 * excluded
    result = evaluate(Trained(scores, counts), test, exclude=excluded, metrics=("psp@1", "psp@3", "psndcg@2"))
    np.testing.assert_allclose(list(result.mean.values()), 1)


def test_with_equal_counts_they_are_hits_over_the_most_hits():
    scores = np.array([[3.0, 2, 1, 0], [0, 1, 2, 3]])
    test = matrix_of([[0, 2], [0]], 4)
    mean = evaluate(Trained(scores, [5] * 4), test, exclude=None, metrics=("psp@1", "psp@2", "precision@2")).mean
    assert mean == pytest.approx({"psp@1": 1 / 2, "psp@2": 1 / 3, "precision@2": 1 / 4})


def test_of_test_labels_that_tie_the_common_one_comes_first():
    mean = evaluate(Trained([[1, 1, 0]], [1, 500, 0]), matrix_of([[0, 1]], 3), exclude=None, metrics=("psp@1",)).mean
    assert mean["psp@1"] == pytest.approx(
        oracle.inverse_propensity(500, 10_000, 0.55, 1.5) / oracle.inverse_propensity(1, 10_000, 0.55, 1.5)
    )


@given(problems(), st.booleans(), st.data())
def test_scores_by_label_and_by_popularity_agree_with_their_formulas(problem, by_label, data):
    scores, test, excluded = problem
    n_labels = scores.shape[1]
    counts = [data.draw(COUNTS) for _ in range(n_labels)]
    by = "label" if by_label else "popularity"
    result = evaluate(Trained(scores, counts), test, exclude=excluded, metrics=(*PAIR_METRICS, "psp@1"), by=by).groups

    def group_of(label):
        return label if by_label else oracle.popularity_range(counts[label])

    of_label = {metric: {} for metric in PAIR_METRICS}
    for image, tests, out in as_images(scores, test, excluded):
        for label in tests:
            rank = oracle.pair_rank(image, label, tests, out)
            of_label["mrr"].setdefault(label, []).append(1 / rank)
            of_label["auc"].setdefault(label, []).append(oracle.pair_area_under_curve(image, label, tests, out))
            for k in KS:
                of_label[f"recall@{k}"].setdefault(label, []).append(float(rank <= k))
    labels = sorted(of_label["mrr"])
    groups = sorted({group_of(label) for label in labels})
    members = [[label for label in labels if group_of(label) == group] for group in groups]
    expected_names = [
        str(one) if by_label else str(one[0]) if one == (0, 0) else f"{one[0]}–{one[1]}" for one in groups
    ]
    assert result.names == expected_names
    assert result.n_labels.tolist() == [len(some) for some in members]
    assert result.n_train_pairs.tolist() == [sum(counts[label] for label in some) for some in members]
    assert result.n_test_pairs.tolist() == [sum(len(of_label["mrr"][label]) for label in some) for some in members]
    assert list(result.micro) == list(result.macro) == list(PAIR_METRICS)
    for metric, values in of_label.items():
        micro = [mean([value for label in some for value in values[label]]) for some in members]
        macro = [mean([mean(values[label]) for label in some]) for some in members]
        np.testing.assert_allclose(result.micro[metric], micro, rtol=1e-12)
        np.testing.assert_allclose(result.macro[metric], macro, rtol=1e-12)
        everything = [value for label in labels for value in values[label]]
        assert result.micro_mean[metric] == pytest.approx(mean(everything), nan_ok=True)
        means = [mean(values[label]) for label in labels]
        assert result.macro_mean[metric] == pytest.approx(mean(means), nan_ok=True)


def mean(values):
    """Return the mean of what is defined."""
    defined = [value for value in values if not math.isnan(value)]
    return sum(defined) / len(defined) if defined else math.nan


@given(problems())
def test_a_metric_of_a_pair_is_that_of_an_image_whose_only_test_label_it_is(problem):
    scores, test, excluded = problem
    metrics = (*PAIR_METRICS, "precision@2", "ndcg@2", "ap@3", "map_cut@3", "map")
    groups = evaluate(FixedScorer(scores), test, exclude=excluded, metrics=metrics, by="label").groups
    rows, columns = np.nonzero(test)
    alone = np.eye(test.shape[1], dtype=bool)[columns]
    out = excluded[rows] | (test[rows] & ~alone)
    expected = evaluate(FixedScorer(scores[rows]), alone, exclude=out, metrics=metrics)
    for name, value in groups.micro_mean.items():
        assert value == pytest.approx(expected.mean[name], nan_ok=True)


def test_with_one_test_label_an_image_the_pairs_are_the_images():
    data = vse.synthetic(80, 12, 320, rng=0)
    train, test = vse.leave_one_out(data, rng=0)
    model = vse.EaseAnnotator().fit(train)
    result = evaluate(model, test, exclude=train, metrics=("mrr", "recall@3", "auc"), by="popularity")
    assert result.groups.micro_mean == pytest.approx(result.mean)
    shares = result.groups.n_test_pairs / test.n_pairs
    assert (result.groups.micro["mrr"] * shares).sum() == pytest.approx(result.mean["mrr"])
    assert evaluate(model, test, exclude=train, metrics=("mrr",)).groups is None


def test_training_counts_are_of_the_model_or_else_of_exclude():
    scores = np.array([[2.0, 1, 0], [2, 1, 0], [2, 1, 0]])
    test, exclude = matrix_of([[1], [2], []], 3), matrix_of([[0], [0], [0, 1]], 3)
    by_exclude = evaluate(FixedScorer(scores), test, exclude=exclude, metrics=("mrr", "psp@1"), by="label")
    assert by_exclude.groups.n_train_pairs.tolist() == [1, 0]
    weights = [oracle.inverse_propensity(count, 3, 0.55, 1.5) for count in (3, 1, 0)]
    assert by_exclude.mean["psp@1"] == pytest.approx(weights[1] / (weights[1] + weights[2]))
    by_model = evaluate(Trained(scores, [9, 8, 7]), test, exclude=exclude, metrics=("mrr",), by="label")
    assert by_model.groups.n_train_pairs.tolist() == [8, 7]


def test_training_counts_match_labels_by_name():
    scorer = FixedScorer(np.ones((2, 3)), label_names=["cat", "dog", "owl"])
    test = vse.AnnotationSet.from_pairs(["1", "0"], ["cat", "dog"])
    exclude = vse.AnnotationSet.from_pairs(["0", "1", "1"], ["owl", "owl", "dog"])
    groups = evaluate(scorer, test, exclude=exclude, metrics=("mrr",), by="label").groups
    assert groups.names == ["cat", "dog"]
    assert groups.n_train_pairs.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("how", "asked"),
    [({"metrics": ("mrr", "psp@5")}, "psp@5"), ({"by": "label"}, "by='label'"), ({"by": "popularity"}, "by='popu")],
)
def test_without_training_counts_there_is_one_clear_message(how, asked):
    with pytest.raises(
        InputError, match=f"^{asked}.*needs the number of training images .* pass the training set as exclude$"
    ):
        evaluate(FixedScorer(np.ones((3, 2))), np.ones((3, 2)), exclude=None, **how)


def test_too_few_training_images_for_propensities():
    with pytest.raises(InputError, match="fewer than 3 images, found 2: leave out psp@k"):
        evaluate(Trained(np.ones((1, 2)), [1, 2], n_images=2), np.eye(1, 2), exclude=None, metrics=("psp@1",))


@pytest.mark.parametrize("a_b", [0.55, (0.55,), (0.55, 0), (-1, 1.5), (math.inf, 1), (math.nan, 1), ("a", "b"), None])
def test_a_and_b_are_two_numbers(a_b):
    with pytest.raises(InputError, match="propensity must be two numbers above 0"):
        evaluate(FixedScorer(np.ones((1, 2))), np.ones((1, 2)), exclude=None, propensity=a_b)


def test_what_to_score_by_is_named():
    with pytest.raises(UnknownNameError, match="did you mean 'label'"):
        evaluate(FixedScorer(np.ones((1, 2))), np.ones((1, 2)), exclude=None, by="labels")


def test_metrics_that_say_nothing_of_a_label_are_not_told_by_label():
    with pytest.raises(
        InputError, match="^by='label' needs a metric of single labels, .* found only coverage@5, psp@5$"
    ):
        evaluate(Trained([[1, 0]], [1, 1]), [[1, 0]], exclude=None, metrics=("coverage@5", "psp@5"), by="label")


@given(st.integers(0, 10**7))
def test_buckets_are_those_of_the_definition(count):
    bounds = bucket_bounds(count)
    place = np.searchsorted(bounds, count)
    least = 0 if place == 0 else bounds[place - 1] + 1
    assert (least, bounds[place]) == oracle.popularity_range(count)


def test_columns_make_a_data_frame():
    model = Trained([[2.0, 1, 0]], [0, 7, 8], label_names=["cat", "dog", "owl"])
    test = vse.AnnotationSet.from_csr([[1, 1, 1]], label_names=["cat", "dog", "owl"])
    columns = evaluate(model, test, exclude=None, metrics=("mrr",), by="label").groups.to_columns()
    assert list(columns) == ["label", "n_train_pairs", "n_test_pairs", "mrr"]
    assert columns["label"] == ["cat", "dog", "owl"]
    groups = evaluate(model, test, exclude=None, metrics=("mrr",), by="popularity").groups
    columns = {name: list(column) for name, column in groups.to_columns().items()}
    assert columns == {
        "popularity": ["0", "4–10"], "n_labels": [1, 2], "n_train_pairs": [0, 15], "n_test_pairs": [1, 2],
        "mrr": [1, 1], "macro_mrr": [1, 1],
    }  # fmt: skip


def test_groups_print_as_a_table():
    model = Trained(np.eye(14), range(14))
    result = evaluate(model, np.eye(14), exclude=None, metrics=("mrr",), by="label").groups
    lines = repr(result).splitlines()
    assert lines[:2] == ["<GroupScores by label", "  0   1 pair(s)  mrr 1.0000"]
    assert lines[-2:] == ["  and 2 more", "  mean over labels  mrr 1.0000>"]
    few = repr(evaluate(model, np.eye(14), exclude=None, metrics=("mrr",), by="popularity").groups)
    assert "more" not in few
