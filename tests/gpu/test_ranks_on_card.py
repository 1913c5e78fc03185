"""Ranks that a card counts are those that the processor counts."""

from __future__ import annotations

import numpy as np
import pytest

from vsenumba import AnnotationSet, EaseAnnotator, ImageAnnotator, evaluate, leave_one_out
from vsenumba.errors import InputError
from vsenumba.gpu.ease import inverted

pytestmark = pytest.mark.on_card

METRICS = ("mrr", "auc", "recall@2", "ndcg@3", "psp@2")


@pytest.mark.parametrize(("inputs", "max_neighbours"), [("ids", 0), ("labels", 3)])
def test_a_card_counts_what_the_processor_counts(inputs, max_neighbours):
    data = AnnotationSet.from_csr(np.random.default_rng(0).random((14, 9)) < 0.4)
    train, test = leave_one_out(data, rng=0)
    model = ImageAnnotator(
        inputs, n_factors=3, n_epochs=2, max_neighbours=max_neighbours, n_threads=1, random_state=0
    ).fit(train)  # fmt: skip
    # Of such vectors products are exact, and many scores are the same.
    for table in model.tables_.values():
        table[...] = np.round(2 * table) / 2
    for exclude in (train, None):
        expected = evaluate(model, test, exclude=exclude, metrics=METRICS)
        found = evaluate(model.set_params(device="cuda"), test, exclude=exclude, metrics=METRICS)
        model.set_params(device="cpu")
        assert found.mean == pytest.approx(expected.mean, rel=1e-6)
        for name in METRICS:
            assert found.per_image[name] == pytest.approx(expected.per_image[name], rel=1e-6, nan_ok=True), name


def test_top_lists_are_made_on_the_processor_still():
    data = AnnotationSet.from_csr(np.random.default_rng(0).random((14, 9)) < 0.4)
    train, test = leave_one_out(data, rng=0)
    model = ImageAnnotator("ids", n_factors=3, n_epochs=1, n_threads=1, random_state=0).fit(train)
    expected = evaluate(model, test, exclude=train, metrics=("coverage@2",)).mean
    assert evaluate(model.set_params(device="cuda"), test, exclude=train, metrics=("coverage@2",)).mean == expected


@pytest.mark.filterwarnings("ignore:invalid value")  # of the product, in a thread of its own
def test_scores_that_are_not_finite_and_pairs_in_both_sets_are_named():
    data = AnnotationSet.from_csr(np.random.default_rng(0).random((14, 9)) < 0.4)
    train, test = leave_one_out(data, rng=0)
    model = ImageAnnotator("ids", n_factors=3, n_epochs=1, n_threads=1, device="cuda", random_state=0).fit(train)
    with pytest.raises(InputError, match="both in test and in exclude"):
        evaluate(model, train, exclude=train)
    model.tables_["label_factors"][2] = np.inf
    with pytest.raises(InputError, match="NaN or inf"):
        evaluate(model, test, exclude=train)


@pytest.mark.parametrize(("inputs", "max_neighbours"), [("ids", 0), ("labels", 3)])
def test_a_card_suggests_what_the_processor_suggests(inputs, max_neighbours):
    """Seen images and new ones; at most so many; only some labels, and only above a score."""
    names = [[f"l{a}" for a in np.flatnonzero(row)] for row in np.random.default_rng(0).random((12, 9)) < 0.4]
    data = AnnotationSet.from_lists([one or ["l0"] for one in names])
    model = ImageAnnotator(
        inputs, n_factors=3, n_epochs=2, max_neighbours=max_neighbours, n_threads=1, random_state=0
    ).fit(data)  # fmt: skip
    for table in model.tables_.values():
        table[...] = np.round(2 * table) / 2
    questions = [
        ([data.image_ids[3], data.image_ids[5]], {"n": 4}), ([["l1", "l2"], ["l3"]], {"n": 20}),
        ([data.image_ids[0]], {"only": [f"l{a}" for a in range(1, 9)]}), ([data.image_ids[1]], {"least_score": 0.1}),
    ]  # fmt: skip
    for images, settings in questions:
        expected = model.set_params(device="cpu").annotate(images, **settings)
        assert model.set_params(device="cuda").annotate(images, **settings) == expected
    vectors = np.array([[1, 0, 0.5], [-1, 2, 0], [0, 0, 1]], np.float32)
    expected = model.set_params(device="cpu").annotate_factors(vectors, n=3)
    assert model.set_params(device="cuda").annotate_factors(vectors, n=3) == expected


@pytest.mark.filterwarnings("ignore:invalid value")
def test_suggestions_that_are_not_finite_are_refused_by_name():
    data = AnnotationSet.from_lists([["a", "b"], ["b", "c"], ["c", "d"]])
    model = ImageAnnotator("ids", n_factors=3, n_epochs=1, device="cuda", random_state=0).fit(data)
    model.tables_["label_factors"][3] = np.inf
    with pytest.raises(InputError, match="the score of 'd' is"):
        model.annotate([data.image_ids[0]])


def test_ease_solves_for_the_same_weights():
    data = AnnotationSet.from_csr(np.random.default_rng(0).random((40, 9)) < 0.4)
    expected = EaseAnnotator().fit(data).weights_
    assert EaseAnnotator(device="cuda").fit(data).weights_ == pytest.approx(expected, rel=1e-5, abs=1e-7)
    twice = AnnotationSet.from_csr(np.ones((5, 3)))
    with pytest.raises(InputError, match="l2=1e-12 is too small"):
        EaseAnnotator(l2=1e-12, device="cuda").fit(twice)


def test_a_matrix_without_an_inverse_is_refused():
    with pytest.raises(ArithmeticError, match="no inverse"):
        inverted(np.zeros((2, 2)))
