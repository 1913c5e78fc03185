"""Evaluation: every metric against its formula in plain loops, and the protocol around them."""

from __future__ import annotations

import math
import threading
import tracemalloc

import numba
import numpy as np
import oracle
import pytest
import scipy.sparse as sp
from blas_threads import blas_threads
from fixed_scores import FixedScorer, blocks_of, matrix_of, problems
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import label_ranking_average_precision_score, ndcg_score, roc_auc_score

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.errors import InputError, UnknownNameError
from vsenumba.evaluation import FAMILIES, Scores, blocks, evaluate, parse_metric, ranking

KS = (1, 2, 3, 100)
ALL_METRICS = tuple(
    name
    for family, (_, takes_k, weighs) in FAMILIES.items()
    if not weighs
    for name in ([f"{family}@{k}" for k in KS] if takes_k else [family])
)
ORACLES = {
    "precision": oracle.precision_at,
    "recall": oracle.recall_at,
    "ndcg": oracle.ndcg_at,
    "ap": oracle.average_precision_at,
    "map_cut": oracle.cut_average_precision_at,
    "map": oracle.average_precision,
    "mrr": oracle.reciprocal_rank,
    "auc": oracle.area_under_curve,
}


@given(problems(), st.booleans(), st.sampled_from([1, 2, 1000]))
def test_every_metric_agrees_with_its_formula(problem, with_exclude, block_images):
    scores, test, excluded = problem
    exclude = excluded if with_exclude else None
    with pytest.MonkeyPatch.context() as patch:
        blocks_of(patch, block_images)
        result = evaluate(FixedScorer(scores), test, exclude=exclude, metrics=ALL_METRICS)
    left_out = excluded if with_exclude else np.zeros_like(excluded)
    rows = np.flatnonzero(test.any(axis=1))
    np.testing.assert_array_equal(result.image_rows, rows)
    assert result.n_images == len(rows)
    images = [(scores[i], list(np.flatnonzero(test[i])), set(np.flatnonzero(left_out[i]))) for i in rows]
    for name in ALL_METRICS:
        _, family, k = parse_metric(name)
        if family == "coverage":
            covered = set().union(*(oracle.top_labels(image, out, k) for image, _, out in images))
            assert result.mean[name] == pytest.approx(len(covered) / scores.shape[1])
            assert name not in result.per_image
            continue
        expected = [ORACLES[family](*image, *([] if k is None else [k])) for image in images]
        np.testing.assert_allclose(result.per_image[name], expected, rtol=1e-12)
        defined = [value for value in expected if not math.isnan(value)]
        mean = sum(defined) / len(defined) if defined else math.nan
        assert result.mean[name] == pytest.approx(mean, nan_ok=True)


@given(problems())
def test_sum_rules(problem):
    scores, test, excluded = problem
    result = evaluate(FixedScorer(scores), test, exclude=excluded, metrics=ALL_METRICS).per_image
    n_test = test.sum(axis=1)[test.any(axis=1)]
    for k in KS:
        np.testing.assert_allclose(result[f"precision@{k}"] * k, result[f"recall@{k}"] * n_test)
    assert (result["recall@1"] <= result["recall@2"]).all()
    np.testing.assert_array_equal(result["recall@100"], 1)
    np.testing.assert_allclose(result["ap@100"], result["map"])
    np.testing.assert_array_equal(result["precision@1"], result["ndcg@1"])
    np.testing.assert_array_equal(result["precision@1"], result["mrr"] == 1)
    for name, values in result.items():
        assert ((values >= 0) & (values <= 1 + 1e-12) | np.isnan(values)).all(), name


@given(problems())
def test_a_perfect_model_scores_one(problem):
    _, test, excluded = problem
    # Test labels tie among themselves, and so do the others. The excluded score highest.
    result = evaluate(FixedScorer(test + 9 * excluded), test, exclude=excluded, metrics=ALL_METRICS)
    for name in ("recall@100", "ndcg@1", "ndcg@3", "ap@2", "map", "mrr"):
        np.testing.assert_allclose(result.per_image[name], 1, err_msg=name)
    defined = result.per_image["auc"][~np.isnan(result.per_image["auc"])]
    np.testing.assert_array_equal(defined, 1)


def test_equal_scores_rank_last():
    result = evaluate(
        FixedScorer(np.zeros((1, 10))),
        matrix_of([[3]], 10),
        exclude=matrix_of([[0, 1]], 10),
        metrics=("mrr", "auc"),
    )
    assert result.mean == {"mrr": 1 / 8, "auc": 0.0}


def test_test_labels_that_tie_are_ranked_as_in_any_order():
    """They were ranked worse than any order could: precision@1 was 0 and the MRR .5 for two best labels that tie."""
    result = evaluate(FixedScorer([[1, 1, 0, 0]]), matrix_of([[0, 1]], 4), exclude=None, metrics=ALL_METRICS).mean
    assert {result[name] for name in ("precision@1", "precision@2", "ndcg@2", "ap@2", "map", "mrr", "auc")} == {1.0}
    assert result["recall@1"] == 0.5


def test_a_tie_with_a_label_that_is_no_test_label_counts_against_the_model():
    result = evaluate(FixedScorer([[1, 1, 1, 0]]), matrix_of([[0, 1]], 4), exclude=None, metrics=ALL_METRICS).mean
    assert (result["precision@1"], result["mrr"], result["auc"]) == (0, 1 / 2, 1 / 2)
    assert result["map"] == pytest.approx((1 / 2 + 2 / 3) / 2)


@given(problems(), st.integers(0, 99))
def test_an_order_of_the_ties_gives_the_ranks(problem, seed):
    """Some order of the labels has these ranks, and none that breaks ties in favour of other labels has worse."""
    scores, test, excluded = problem
    result = evaluate(FixedScorer(scores), test, exclude=excluded, metrics=ALL_METRICS).per_image
    # Of labels that tie the test labels come last, among themselves in any order.
    shuffled = np.random.default_rng(seed).permuted(np.tile(np.arange(scores.shape[1]), (len(scores), 1)), axis=1)
    order = np.lexsort((shuffled, ~test, scores), axis=1)
    distinct = np.empty_like(scores)
    np.put_along_axis(distinct, order, np.arange(scores.shape[1], dtype=np.float32)[None], axis=1)
    ordered = evaluate(FixedScorer(distinct), test, exclude=excluded, metrics=ALL_METRICS).per_image
    for name, values in result.items():
        np.testing.assert_allclose(values, ordered[name], err_msg=name)


def test_labels_that_all_tie_are_covered_by_no_top_list_that_does_not_hold_them_all():
    """Ties came in the order of the vocabulary: a constant model "covered" the first k labels."""
    scorer, exclude = FixedScorer(np.zeros((2, 6))), matrix_of([[5], [5]], 6)
    metrics = ("coverage@1", "coverage@4", "coverage@5", "coverage@6")
    result = evaluate(scorer, matrix_of([[0], [1]], 6), exclude=exclude, metrics=metrics)
    assert list(result.mean.values()) == [0, 0, 5 / 6, 5 / 6]


@given(st.integers(2, 9), st.integers(1, 9), st.integers(0, 2**31))
def test_without_ties_other_tools_agree(n_labels, k, seed):
    """Scikit-learn's functions, and trec_eval's map_cut, whose denominator is the number of relevant labels."""
    rng = np.random.default_rng(seed)
    scores = rng.permutation(n_labels).astype(np.float32)[None]
    test = np.zeros((1, n_labels), dtype=bool)
    test[0, rng.choice(n_labels, rng.integers(1, n_labels), replace=False)] = True
    metrics = (f"ndcg@{k}", f"map_cut@{k}", f"ap@{k}", "map", "auc")
    result = evaluate(FixedScorer(scores), test, exclude=None, metrics=metrics).mean
    assert result[f"ndcg@{k}"] == pytest.approx(ndcg_score(test, scores, k=k))
    assert result["map"] == pytest.approx(label_ranking_average_precision_score(test, scores))
    assert result["auc"] == pytest.approx(roc_auc_score(test[0], scores[0]))
    hits = test[0, np.argsort(-scores[0])][:k]
    precisions = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    assert result[f"map_cut@{k}"] == pytest.approx((precisions * hits).sum() / test.sum())
    assert result[f"ap@{k}"] == pytest.approx((precisions * hits).sum() / min(k, test.sum()))


def test_with_ties_other_tools_are_kinder():
    """The row of docs/reference/metrics.md: one of two best labels that tie is a test label, and one of two others."""
    scores, test = np.array([[1.0, 1, 0, 0]]), matrix_of([[0, 2]], 4)
    result = evaluate(FixedScorer(scores), test, exclude=None, metrics=("ndcg@1", "map", "auc")).mean
    assert result == {"ndcg@1": 0.0, "map": 0.5, "auc": 0.25}
    assert ndcg_score(test, scores, k=1) == pytest.approx(0.5)
    assert label_ranking_average_precision_score(test, scores) == pytest.approx(0.5)
    assert roc_auc_score(test[0], scores[0]) == 0.5


def test_auc_is_undefined_where_nothing_else_is_ranked():
    scorer = FixedScorer([[1.0, 2.0], [2.0, 1.0]])
    result = evaluate(scorer, matrix_of([[0, 1], [0]], 2), exclude=None, metrics=("auc", "mrr"))
    np.testing.assert_array_equal(result.per_image["auc"], [np.nan, 1.0])
    assert result.mean == {"auc": 1.0, "mrr": 1.0}


def test_any_number_of_threads_gives_the_same():
    rng = np.random.default_rng(0)
    scores = rng.standard_normal((200, 30)).round(1)
    test = rng.random((200, 30)) < 0.1
    exclude = (rng.random((200, 30)) < 0.2) & ~test
    with pytest.MonkeyPatch.context() as patch:
        blocks_of(patch, 7)
        one, two = (
            evaluate(FixedScorer(scores), test, exclude=exclude, metrics=ALL_METRICS, n_threads=n) for n in (1, 2)
        )
    assert one.mean == two.mean
    for name, values in one.per_image.items():
        np.testing.assert_array_equal(values, two.per_image[name])


@pytest.mark.parametrize(
    ("limits", "sizes"),
    [
        ({"BLOCK_BYTES": 400 * 12, "LEAST_BLOCKS": 1}, [12] * 8 + [4]),
        ({"BLOCK_BYTES": 400 * 12}, [7] * 14 + [2]),
        ({"BLOCK_BYTES": 400 * 12, "LEAST_IMAGES": 30}, [30] * 3 + [10]),
        ({"LEAST_IMAGES": 30, "MOST_BLOCK_BYTES": 400 * 14}, [14] * 7 + [2]),
        ({"MOST_BLOCK_BYTES": 399}, [1] * 100),
    ],
)
@pytest.mark.parametrize("n_threads", [1, 2])
def test_blocks_have_a_size_that_threads_do_not_change(monkeypatch, limits, sizes, n_threads):
    for name, value in ({"LEAST_IMAGES": 1} | limits).items():
        monkeypatch.setattr(ranking, name, value)
    scorer = FixedScorer(np.eye(100))
    evaluate(scorer, np.eye(100), exclude=None, n_threads=n_threads)
    assert sorted(scorer.blocks) == sorted(sizes)


def test_no_more_blocks_are_in_work_than_memory_allows(monkeypatch):
    monkeypatch.setattr(blocks, "MEMORY_BYTES", 400 * 7)
    monkeypatch.setattr(ranking, "LEAST_IMAGES", 4)
    threads = set()
    scorer = FixedScorer(np.eye(100))
    score = scorer.score_block
    scorer.score_block = lambda known, rows: threads.add(threading.get_ident()) or score(known, rows)
    evaluate(scorer, np.eye(100), exclude=None, n_threads=2)
    assert len(scorer.blocks) > 2
    assert len(threads) == 1


def test_blas_gets_one_thread_inside_and_its_threads_back():
    before = blas_threads()
    scorer = FixedScorer(np.eye(3))
    inside = []
    scorer.score_block = lambda known, rows: inside.extend(blas_threads())
    with pytest.raises(InputError, match="shape"):
        evaluate(scorer, np.eye(3), exclude=None)
    assert inside == [1] * len(before)
    assert blas_threads() == before


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="memory is the same, and it takes ten times as long")
def test_no_matrix_of_images_by_labels_is_made():
    n_images, n_labels = 400, 1000
    rng = np.random.default_rng(0)
    images, labels = (
        rng.standard_normal((n_images, 4), np.float32),
        rng.standard_normal((n_labels, 4), np.float32),
    )
    scorer = FixedScorer(np.zeros((n_images, n_labels), np.float32)[:1])
    scorer.align = lambda data: data
    scorer.known_for = lambda test, exclude: exclude
    scorer.score_block = lambda known, rows: images[rows] @ labels.T
    scorer.label_names = (test := one_label_each(n_images, n_labels, 0)).label_names
    exclude = one_label_each(n_images, n_labels, 1)
    metrics = ("mrr", "coverage@10")
    with pytest.MonkeyPatch.context() as patch:
        blocks_of(patch, 10)
        evaluate(scorer, test, exclude=exclude, metrics=metrics, max_images=10, rng=0)
        tracemalloc.start()
        try:
            evaluate(scorer, test, exclude=exclude, metrics=metrics, n_threads=2)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 4 * n_images * n_labels / 2


def one_label_each(n_images, n_labels, shift):
    return AnnotationSet(np.arange(n_images + 1), (np.arange(n_images) + shift) % n_labels, n_labels)


def test_names_match_columns_and_rows_whatever_their_order():
    scorer = FixedScorer([[0.9, 0.5, 0.1], [0.9, 0.5, 0.1]], label_names=["cat", "dog", "owl"])
    test = AnnotationSet.from_pairs(["1", "0"], ["owl", "dog"])
    exclude = AnnotationSet.from_pairs(["0", "1", "1"], ["cat", "cat", "dog"])
    result = evaluate(scorer, test, exclude=exclude, metrics=("mrr",))
    np.testing.assert_array_equal(result.per_image["mrr"], [1.0, 1.0])
    ranked_all = evaluate(scorer, test, exclude=None, metrics=("mrr",))
    np.testing.assert_array_equal(ranked_all.per_image["mrr"], [1 / 3, 1 / 2])


def test_a_matrix_stands_for_the_models_labels_and_the_other_sets_images():
    scorer = FixedScorer([[0.9, 0.5, 0.1], [0.9, 0.5, 0.1]], label_names=["cat", "dog", "owl"])
    scorer.trained_on = AnnotationSet.from_csr(matrix_of([[0], [0, 1]], 3), ["x", "y"], ["cat", "dog", "owl"])
    scorer.score_block = lambda known, rows: scorer.scores[rows]
    test = sp.csc_matrix(matrix_of([[1], [2]], 3))
    assert evaluate(scorer, test, exclude=scorer.trained_on, metrics=("mrr",)).mean["mrr"] == 1


def test_a_sub_sample_is_seeded_and_said():
    scorer = FixedScorer(np.eye(50))
    test = np.eye(50)
    test[::2] = 0
    first, again = (evaluate(scorer, test, exclude=None, max_images=10, rng=3) for _ in range(2))
    assert first.n_images == len(first.image_rows) == len(first.per_image["mrr"]) == 10
    assert (first.image_rows % 2 == 1).all()
    assert (np.diff(first.image_rows) > 0).all()
    np.testing.assert_array_equal(first.image_rows, again.image_rows)
    other = evaluate(scorer, test, exclude=None, max_images=10, rng=4)
    assert not np.array_equal(first.image_rows, other.image_rows)
    assert evaluate(scorer, test, exclude=None, max_images=1000).n_images == 25


def test_two_evaluations_at_once_agree():
    scores = np.random.default_rng(0).standard_normal((60, 20))
    results = []
    workers = [
        threading.Thread(target=lambda: results.append(evaluate(FixedScorer(scores), scores > 1, exclude=None)))
        for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(results) == 4
    assert all(result.mean == results[0].mean for result in results)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_refused(bad):
    scores = np.zeros((5, 4))
    scores[2:, 3] = bad
    with pytest.raises(InputError, match=r"image '2'.*NaN or inf"):
        evaluate(FixedScorer(scores), np.ones((5, 4)), exclude=None)


def test_a_test_set_without_pairs_is_refused():
    with pytest.raises(InputError, match="no pair"):
        evaluate(FixedScorer(np.ones((2, 3))), np.zeros((2, 3)), exclude=None)


def test_a_pair_in_test_and_exclude_is_refused():
    with pytest.raises(InputError, match=r"image '1'.*both"):
        evaluate(FixedScorer(np.ones((2, 3))), matrix_of([[0], [1]], 3), exclude=matrix_of([[1], [1]], 3))


@pytest.mark.parametrize(
    ("test", "exclude"),
    [
        (np.ones((3, 2)), None),
        (np.ones((2, 3)), np.zeros((3, 2))),
        (np.ones((2, 3)), np.zeros((3, 3))),
        (AnnotationSet.from_csr(np.ones((2, 3))), np.zeros((3, 2))),
        (np.ones((3, 3)), AnnotationSet.from_csr(np.ones((2, 3)))),
    ],
)
def test_the_transpose_is_refused(test, exclude):
    with pytest.raises(InputError, match="transpose"):
        evaluate(FixedScorer(np.ones((2, 3))), test, exclude=exclude)


def test_a_model_that_knows_other_images_is_refused():
    scorer = FixedScorer(np.ones((2, 3)))
    scorer.known_for = lambda test, exclude: AnnotationSet.from_csr(np.zeros((5, 3)))
    with pytest.raises(InputError, match="transpose"):
        evaluate(scorer, np.ones((2, 3)), exclude=None)


def test_a_model_with_scores_of_another_shape_is_refused():
    scorer = FixedScorer(np.ones((2, 3)))
    scorer.score_block = lambda known, rows: np.ones((3, 2), np.float32)
    with pytest.raises(InputError, match=r"shape \(3, 2\); expected \(2, 3\)"):
        evaluate(scorer, np.ones((2, 3)), exclude=None)


def test_pairs_whose_label_is_unknown_are_left_out_and_said():
    """They were refused, and the command line left them out: two rules."""
    scorer = FixedScorer(np.array([[3.0, 2, 1]] * 3), label_names=["cat", "dog", "owl"])
    test = AnnotationSet.from_pairs(["0", "1", "1", "2", "2"], ["dog", "owl", "catt", "zebra", "zebu"])
    expected = (
        r"^skipped 3 of 5 pair\(s\) in test: the model does not know 3 label\(s\), "
        r"such as 'catt' \(did you mean 'cat'\?\) and 'zebra'$"
    )
    with pytest.warns(UserWarning, match=expected) as caught:
        result = evaluate(scorer, test, exclude=None, metrics=("mrr",))
    assert caught[0].filename == __file__
    assert (result.n_pairs_left_out, result.n_images) == (3, 2)
    assert result.per_image["mrr"].tolist() == [1 / 2, 1 / 3]
    assert repr(result).startswith("<Scores over 2 images, 3 pair(s) left out\n")
    known = AnnotationSet.from_pairs(["0", "1"], ["dog", "owl"])
    assert evaluate(scorer, known, exclude=None).n_pairs_left_out == 0


def test_labels_that_no_pair_has_are_not_missed():
    scorer = FixedScorer(np.array([[3.0, 2]]), label_names=["cat", "dog"])
    test = AnnotationSet.from_csr([[1, 0, 1]], label_names=["dog", "zebra", "cat"])
    scorer.align = lambda data: data.with_columns(np.array([1, -1, 0]), scorer.label_names)
    assert evaluate(scorer, test, exclude=None).n_pairs_left_out == 0


def test_unknown_labels_of_exclude_are_left_out_too():
    scorer = FixedScorer(np.array([[3.0, 2]]), label_names=["cat", "dog"])
    exclude = AnnotationSet.from_pairs(["0", "0"], ["cat", "zebra"])
    with pytest.warns(UserWarning, match=r"skipped 1 of 2 pair\(s\) in exclude"):
        result = evaluate(scorer, AnnotationSet.from_pairs(["0"], ["dog"]), exclude=exclude, metrics=("mrr",))
    assert result.mean == {"mrr": 1.0}


def test_a_test_set_without_a_known_label_is_refused():
    scorer = FixedScorer(np.ones((1, 2)), label_names=["cat", "dog"])
    with pytest.raises(InputError, match=r"knows no label of test: it has 'cats' \(did you mean 'cat'\?\)"):
        evaluate(scorer, AnnotationSet.from_pairs(["0"], ["cats"]), exclude=None)


def test_exclude_must_be_said():
    with pytest.raises(TypeError, match="exclude"):
        evaluate(FixedScorer(np.ones((1, 2))), np.ones((1, 2)))


@pytest.mark.parametrize("max_images", [0, -1, 1.5, True, "x"])
def test_a_bad_sub_sample_is_refused(max_images):
    with pytest.raises(InputError, match="max_images"):
        evaluate(FixedScorer(np.ones((1, 2))), np.ones((1, 2)), exclude=None, max_images=max_images)


@pytest.mark.parametrize("name", ["recall@0", "recall@-1", "recall@1.5", "recall@x", "recall@", "recall", "recall@²"])
def test_a_bad_k_is_named(name):
    with pytest.raises(InputError, match="k of metric"):
        parse_metric(name)


@pytest.mark.parametrize("k", ["2147483648", "1" + "0" * 19, "1" + "0" * 400, "1" + "0" * 4399], ids=len)
@pytest.mark.parametrize("family", [name for name, family in FAMILIES.items() if family.takes_k])
def test_a_k_that_no_set_has_labels_for_is_refused(family, k):
    """Found 2026-11: OverflowError, and ValueError for a number of more digits than Python reads."""
    with pytest.raises(
        InputError, match=r"must be a whole number from 1 to 2,147,483,647, not '\d+'?: write"
    ) as raised:
        parse_metric(f"{family}@{k}")
    assert len(str(raised.value)) < 200


def test_the_largest_k_is_as_good_as_the_number_of_labels():
    data = np.array([[1, 0, 1], [0, 1, 0]])
    model = FixedScorer(np.array([[3.0, 2, 1], [1, 2, 3]]))
    for family in ("recall", "ndcg", "ap", "map_cut", "coverage"):
        mean = evaluate(model, data, exclude=None, metrics=[f"{family}@3", f"{family}@{2**31 - 1}"]).mean
        assert len(set(mean.values())) == 1, family


def test_metrics_without_k_take_none():
    with pytest.raises(InputError, match="has no k; write 'mrr'"):
        parse_metric("mrr@5")


@pytest.mark.parametrize(("name", "near"), [("recal@5", "recall@5"), ("mmr", "mrr"), ("precison@10", "precision@10")])
def test_unknown_metrics_are_answered_with_the_nearest(name, near):
    with pytest.raises(UnknownNameError, match=near):
        parse_metric(name)


@pytest.mark.parametrize("metrics", ["mrr", ()])
def test_metrics_are_a_sequence_of_names(metrics):
    with pytest.raises(InputError, match="metrics"):
        evaluate(FixedScorer(np.ones((1, 2))), np.ones((1, 2)), exclude=None, metrics=metrics)


def test_the_result_prints_as_a_table():
    scores = Scores({"recall@10": 0.5, "mrr": 0.25}, {}, 1234, np.arange(1234))
    assert repr(scores) == "<Scores over 1,234 images\n  recall@10  0.5000\n  mrr        0.2500>"


@settings(max_examples=20)
@given(st.integers(1, 40), st.integers(1, 50), st.integers(0, 2**31))
def test_top_lists_of_any_length(n_labels, k, seed):
    rng = np.random.default_rng(seed)
    scores = rng.integers(-3, 3, size=(1, n_labels)).astype(np.float32)
    excluded = rng.random((1, n_labels)) < 0.3
    test = np.zeros((1, n_labels), dtype=bool)
    test[0, 0], excluded[0, 0] = True, False
    result = evaluate(FixedScorer(scores), test, exclude=excluded, metrics=(f"coverage@{k}",))
    expected = oracle.top_labels(scores[0], set(np.flatnonzero(excluded[0])), k)
    assert result.mean[f"coverage@{k}"] == pytest.approx(len(expected) / n_labels)
