"""Models and members as scikit-learn's tools take them."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from checkerboards import PLAIN, checkerboard, model_of
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils.estimator_checks import check_estimator

import vsenumba as vse


def test_clone_and_grid_search():
    model = model_of(sampler=vse.AdaptiveSampler(lam=0.1))
    assert clone(model).get_params() == model.get_params()
    data = checkerboard()

    def mrr(model, X, y=None):
        train, test = vse.leave_one_out(vse.AnnotationSet.from_csr(X), rng=0)
        return vse.evaluate(model, test, exclude=train, metrics=["mrr"]).mean["mrr"]

    search = GridSearchCV(model_of(), {"l2": [0.001, 0.1]}, scoring=mrr, cv=2)
    search.fit(data.to_csr())
    assert set(search.best_params_) == {"l2"}


@pytest.mark.parametrize("form", [lambda data: data, lambda data: data.to_csr(), lambda data: data.to_csr().toarray()])
def test_searches_and_cross_validation_take_every_form_of_data(form):
    data = checkerboard(40, 10)
    grid = {"sampler__lam": [0.05, 0.5], "l2": [0.001], "optimiser__initial": [0.1]}
    model = vse.ImageAnnotator(n_factors=4, n_epochs=1, random_state=0)
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(form(data))
    assert set(search.best_params_) == set(grid)
    assert search.best_estimator_.sampler.lam == search.best_params_["sampler__lam"]
    # The members of the model that was handed in stay as they are.
    assert model.sampler is None
    for one in (model_of(), model_of("ids"), vse.EaseAnnotator(l2=1.0), vse.PopularityAnnotator()):
        scores = cross_val_score(one, form(data), cv=2, error_score="raise")
        assert ((scores > 0) & (scores <= 1)).all()


def test_the_score_is_the_mrr_of_a_held_out_label():
    data = checkerboard(40, 12)
    train, test = data[np.arange(30)], data[np.arange(30, 40)]
    model = model_of(n_epochs=20, n_factors=8).fit(train)
    known, held_out = vse.leave_one_out(test, rng=0)
    assert model.score(test) == vse.evaluate(model, held_out, exclude=known, metrics=["mrr"]).mean["mrr"]
    # An image that it was trained on is asked about as if it had never been seen.
    ids = model_of("ids", n_epochs=20, n_factors=8, deterministic=True).fit(train)
    renamed = vse.AnnotationSet.from_csr(train.to_csr(), None, train.label_names)
    assert ids.score(train) == ids.score(renamed)


def test_pairs_whose_label_the_model_does_not_know_are_left_out_of_the_score():
    """They were left out without a word."""
    data = checkerboard(40, 12)
    train, test = data[np.arange(30)], data[np.arange(30, 40)]
    model = model_of(n_epochs=2, n_factors=8).fit(train)
    more = vse.AnnotationSet.from_lists([[*test.labels_of(image), "new"] for image in test.image_ids])
    with pytest.warns(UserWarning, match=r"^skipped 10 of \d+ pair\(s\) in X.* 1 label\(s\), 'new'$") as caught:
        assert model.score(more) > 0
    assert caught[0].filename == __file__
    with pytest.raises(vse.InputError, match="the model knows no label of X"):
        model.score([["new", "newer"]])


def test_a_retrievers_score_is_the_mrr_of_both_directions():
    data = vse.CaptionSet.from_lists(np.eye(4), ["a cat", "a dog", "a fish", "a bird"])
    model = vse.CrossModalRetriever(n_factors=4, min_count=1, n_epochs=1, random_state=0).fit(data)
    scores = model.evaluate(data)
    assert model.score(data) == pytest.approx(np.mean([*1 / scores.image_ranks, *1 / scores.caption_ranks]))


def test_sets_are_sliced_as_matrices_are():
    data = checkerboard(6, 4)
    for rows in (slice(1, 4), [3, 0], np.arange(6) % 2 == 0, (np.array([1]), Ellipsis)):
        of_matrix = data.to_csr().toarray()[rows[0] if isinstance(rows, tuple) else rows]
        assert np.array_equal(data[rows].to_csr().toarray(), of_matrix)
    assert len(data) == 6
    with pytest.raises(TypeError, match="a set is indexed by a slice"):
        data[0]


class _Thresholded:
    """Makes scikit-learn's numbers into pairs: a label is where a value is above the mean."""

    def fit(self, X, y=None):
        return super().fit(self._pairs(X), y)

    def score(self, X, y=None):
        return super().score(self._pairs(X), y)

    def _pairs(self, X):
        if sp.issparse(X):
            return X.mean() < X
        X = np.asarray(X)
        if X.dtype.kind == "f" and np.isfinite(X).all() and X.ndim == 2 and X.size:
            return X.mean() < X
        return X


class ThresholdedImageAnnotator(_Thresholded, vse.ImageAnnotator):
    def partial_fit(self, X, y=None):
        return super().partial_fit(self._pairs(X), y)


class ThresholdedEase(_Thresholded, vse.EaseAnnotator):
    pass


class ThresholdedPopularity(_Thresholded, vse.PopularityAnnotator):
    pass


# Scikit-learn's checks that do not hold, and why.
EXPECTED_FAILURES = {
    "check_dtype_object": "an object array is read as numbers, and what is not a number is refused as an InputError",
    "check_positive_only_tag_during_fit": "the thresholded numbers of this test are never negative",
    "check_fit_non_negative": "likewise",
}


@pytest.mark.filterwarnings("ignore:.*")
@pytest.mark.parametrize(
    "model",
    [ThresholdedImageAnnotator(**PLAIN, deterministic=True), ThresholdedEase(), ThresholdedPopularity()],
    ids=lambda model: type(model).__name__,
)
def test_scikit_learns_checks_fail_only_where_expected(model):
    results = check_estimator(model, on_fail=None)
    failed = {one["check_name"]: one["exception"] for one in results if one["status"] == "failed"}
    assert set(failed) == set(EXPECTED_FAILURES), failed
    assert sum(one["status"] == "passed" for one in results) >= 30
