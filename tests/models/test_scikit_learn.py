"""Models and members as scikit-learn's tools take them."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from checkerboards import PLAIN, checkerboard, model_of
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
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


class _Thresholded:
    """Makes scikit-learn's numbers into pairs: a label is where a value is above 0."""

    def fit(self, X, y=None):
        return super().fit(self._pairs(X), y)

    def score(self, X, y=None):
        return super().score(self._pairs(X), y)

    def _pairs(self, X):
        if sp.issparse(X):
            return X > 0
        X = np.asarray(X)
        if X.dtype.kind == "f" and np.isfinite(X).all() and X.ndim == 2:
            return X > 0
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
