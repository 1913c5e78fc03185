"""What models are asked for: the best labels, within limits, of many images; images of several labels; likeness."""

from __future__ import annotations

import itertools
import tracemalloc
import warnings

import hypothesis.strategies as st
import numba
import numpy as np
import pytest
import scipy.sparse as sp
from changed_sets import forced
from checkerboards import checkerboard, model_of
from hypothesis import given, settings

import vsenumba as vse
from vsenumba.data.matches import best_matches
from vsenumba.models import suggesting

SPARSE = vse.EaseAnnotator(l2=1.0, max_neighbours=4)
MODELS = [model_of(), model_of("ids"), vse.EaseAnnotator(l2=1.0), SPARSE, vse.PopularityAnnotator()]
NAMES = [str(getattr(model, "inputs", model.kind)) for model in MODELS]
every_model = pytest.mark.parametrize("model", MODELS, ids=NAMES)


def brute_force(model, data, n, only=None, without=(), least=-np.inf):
    """Return suggestions for all images of a set, by the scores of all labels for all images."""
    scores = np.asarray(model.score_block(data, np.arange(data.n_images)), np.float32).copy()
    scores[data.to_csr().toarray() > 0] = -np.inf
    for column, name in enumerate(data.label_names):
        if name in without or (only is not None and name not in only):
            scores[:, column] = -np.inf
    scores[scores < least] = -np.inf
    return [best_matches(row, n, data.label_names) for row in scores]


def as_told(found):
    """Return suggestions such that products of other shapes, which round otherwise, may be compared."""
    return [[(match.name, pytest.approx(match.score, rel=1e-4, abs=1e-6)) for match in one] for one in found]


@every_model
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_suggestions_are_the_best_of_all_scores(model, data):
    board = checkerboard()
    if not hasattr(model, "seen_"):
        model.fit(board)
    names = st.lists(st.sampled_from(list(board.label_names)), unique=True)
    n, only, without = data.draw(st.integers(1, 12)), data.draw(st.none() | names), data.draw(names)
    least = data.draw(st.none() | st.floats(-1, 20, width=16))
    expected = brute_force(model, board, n, only, without, -np.inf if least is None else least)
    limits = {"only": only, "without": set(without), "least_score": least}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(suggesting, "_LEAST_IMAGES", data.draw(st.sampled_from([1, 5, 64])))
        patch.setattr(suggesting, "_BLOCK_CELLS", 1)
        patch.setattr(suggesting, "_BLOCKS_AT_A_TIME", data.draw(st.sampled_from([1, 3])))
        found = model.annotate(model.seen_, n, **limits)
    assert found == as_told(expected)
    each = list(model.annotate_each(model.seen_, n, **limits))
    assert [image for image, _ in each] == list(board.image_ids)
    assert [one for _, one in each] == as_told(expected)


@every_model
def test_limits_that_leave_nothing(model):
    model.fit(checkerboard())
    for limits in ({"only": []}, {"without": list(model.label_names_)}, {"least_score": 1e300}, {"only": ["label 0"]}):
        found = model.annotate([["label 0"], ["label 0", "label 2"]], **limits)
        assert found == [[], []]


@every_model
def test_limits_that_cannot_be_read(model):
    model.fit(checkerboard())
    for limits, what in (
        ({"only": "label 0"}, "only must be a list of label names"),
        ({"without": 7}, "without must be a list of label names"),
        ({"least_score": np.nan}, "least_score must be a number, not nan"),
        ({"least_score": "high"}, "least_score must be a number, not 'high'"),
    ):
        with pytest.raises(vse.InputError, match=what):
            model.annotate(["image 0"], **limits)
    for limits in ({"only": ["lable 0"]}, {"without": ["label 1", "lable 0"]}):
        with pytest.raises(vse.UnknownNameError, match="unknown label 'lable 0'; did you mean 'label 0'"):
            model.annotate(["image 0"], **limits)


def test_a_least_score_is_reached_exactly():
    """A score that is just as high is told, also where it is none of float32's numbers."""
    data = vse.AnnotationSet.from_lists([["a"], ["a", "b"], ["a", "b", "c"], ["d"]])
    model = vse.PopularityAnnotator().fit(data)
    for least, expected in ((2, "ab"), (2.0000000001, "a"), (3, "a"), (3.5, ""), (-np.inf, "abc"), (1.9999, "ab")):
        assert "".join(match.name for match in model.annotate([["d"]], least_score=least)[0]) == expected


def test_images_are_answered_in_their_order_however_often_they_are_named():
    model = model_of().fit(checkerboard())
    one, other, again = model.annotate(["image 3", "image 0", "image 3"], n=3)
    assert one == again
    assert one != other
    assert model.annotate([], n=3) == []
    assert list(model.annotate_each([], n=3)) == []


def test_a_question_is_checked_when_it_is_put():
    model = model_of().fit(checkerboard())
    with pytest.raises(vse.UnknownNameError):
        model.annotate_each(["imago"])
    with pytest.warns(UserWarning, match="nothing is known"):
        pairs = model.annotate_each([[], ["label 0"]], n=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [(image, len(found)) for image, found in pairs] == [("new image 0", 0), ("new image 1", 1)]


def test_nothing_at_all_is_no_question():
    with pytest.raises(vse.InputError, match="no images are given; pass their ids"):
        model_of().fit(checkerboard()).annotate()


@every_model
def test_features_are_refused_by_models_that_do_not_look_at_them(model):
    model.fit(checkerboard())
    with pytest.raises(vse.InputError, match="features are given, but the model does not use them"):
        model.annotate(features=np.ones((2, 3)))


def test_vectors_in_place_of_labels_are_told_of():
    """A matrix is one of zeros and ones; what else could be meant is named."""
    model = model_of().fit(checkerboard())
    with pytest.raises(vse.InputError, match="matrix of fractional numbers; .*pass feature vectors as features="):
        model.annotate(np.full((2, 10), 0.5))
    with pytest.raises(vse.InputError, match="one list of names per image.*pass feature vectors as features="):
        model.annotate(list(np.full((2, 10), 0.5)))


def test_a_set_that_was_changed_by_hand_leads_nowhere():
    data = checkerboard()
    model = vse.PopularityAnnotator().fit(data)
    forced(data, "indices")[3] = 99
    with pytest.raises(vse.InputError, match="indptr or indices"):
        model.annotate(["image 0"])


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="takes minutes without the compiler")
def test_memory_is_that_of_blocks():
    """The scores of all labels for all these images would take 480 MB."""
    n_images, n_labels = 6_000, 20_000
    names = vse.Vocabulary.numbered(n_labels, "label", "label ")
    data = vse.AnnotationSet.from_csr(sp.eye_array(n_images, n_labels, format="csr"), None, names)
    model = vse.PopularityAnnotator().fit(data)
    answers = model.annotate_each(data, n=3)
    next(answers)  # the kernels are compiled
    tracemalloc.start()
    assert sum(len(found) for _, found in answers) == 3 * (n_images - 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 60e6


@every_model
def test_several_labels_are_searched_by_the_mean_of_their_scores(model):
    data = checkerboard()
    model.fit(data)
    scores = np.asarray(model.score_block(data, np.arange(data.n_images)))[:, [2, 4]].mean(axis=1)
    found = model.find_images(["label 2", "label 4", "label 2"], n=99, include_known=True)
    assert dict(found) == {
        image: pytest.approx(score, rel=1e-4) for image, score in zip(data.image_ids, scores, strict=True)
    }
    both = {image for image in data.image_ids if {"label 2", "label 4"} <= set(data.labels_of(image))}
    lacking = model.find_images(["label 2", "label 4"], n=99)
    assert {match.name for match in lacking} == set(data.image_ids) - both
    least = float(np.sort(scores)[-3])
    assert len(model.find_images(("label 2", "label 4"), n=2, include_known=True, least_score=least)) == 2
    assert model.find_images(["label 2"], n=5) == model.find_images("label 2", n=5)
    for wrong, what in (([], "label must contain at least one name"), ({"label 2"}, "label must have an order")):
        with pytest.raises(vse.InputError, match=what):
            model.find_images(wrong)


@every_model
def test_what_was_found_to_be_absent_is_neither_suggested_nor_found(model):
    data = checkerboard()
    absent = np.zeros(data.shape, bool)
    lacking = next(image for image in range(1, 24, 2) if "label 5" not in data.labels_of(f"image {image}"))
    absent[[0, 2, lacking], [1, 3, 5]] = True
    model.fit(data.with_absent(absent))
    assert "label 1" not in [match.name for match in model.annotate(["image 0"], n=99)[0]]
    assert "label 1" in [match.name for match in model.annotate([data.labels_of("image 0")], n=99)[0]]
    for label in ("label 5", ["label 5", "label 1"]):
        found = [match.name for match in model.find_images(label, n=99, include_known=True)]
        assert f"image {lacking}" not in found
        assert "image 4" in found


def test_other_images_are_searched():
    model = model_of().fit(checkerboard())
    others = {"even": ["label 0", "label 4"], "odd": ["label 1"], "has it": ["label 2"]}
    assert [match.name for match in model.find_images("label 2", images=others)] == ["even", "odd"]
    assert len(model.find_images("label 2", images=others, include_known=True)) == 3
    with pytest.raises(vse.InputError, match="images must be a set of images to search"):
        model.find_images("label 2", images=["image 0"])
    with pytest.raises(vse.UnknownNameError, match="unknown image 'even'"):
        model_of("ids").fit(checkerboard()).find_images("label 2", images=others)


@pytest.mark.parametrize("inputs", ["labels", "ids", ("labels", "ids")])
def test_what_is_alike_has_the_highest_cosine(inputs):
    data = checkerboard()
    model = model_of(inputs, n_epochs=8).fit(data)
    for vectors, names, ask in (
        (model.label_factors_, model.label_names_, model.similar_labels),
        (model.embed(data), model.image_ids_, model.similar_images),
    ):
        directions = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        expected = directions @ directions[4]
        found = ask(names[4], n=99)
        assert {match.name: match.score for match in found} == {
            name: pytest.approx(expected[i], abs=1e-5) for i, name in enumerate(names) if i != 4
        }
        assert found == sorted(found, key=lambda match: -match.score)
        assert ask(names[4], n=2) == found[:2]
        # Even labels and images are like even ones.
        assert all(int(match.name.split()[1]) % 2 == 0 for match in found[:3])


def test_images_are_like_new_ones():
    model = model_of(n_epochs=8).fit(checkerboard())
    assert model.similar_images(["label 0", "label 2"], n=3) == model.similar_images(["label 2", "label 0"], n=3)
    others = {"even": ["label 0", "label 4"], "odd": ["label 1"], "bare": []}
    assert [match.name for match in model.similar_images(["label 2"], images=others)] == ["even", "odd"]
    assert [match.name for match in model.similar_images("odd", images=others)] == ["even"]
    with pytest.raises(vse.InputError, match="nothing is known about image 'bare'"):
        model.similar_images("bare", images=others)
    for nothing in (None, []):
        with pytest.raises(vse.InputError):
            model.similar_images(nothing)
    with pytest.raises(vse.UnknownNameError, match="unknown image 'imago 0'"):
        model.similar_images("imago 0")
    with pytest.raises(vse.UnknownNameError, match="unknown label 'lable 0'"):
        model.similar_labels("lable 0")
    folded = model_of("ids").fit(checkerboard())
    assert len(folded.similar_images(["label 0"], n=3)) == 3


def test_a_label_whose_vector_is_zero_is_like_none():
    model = model_of().fit(checkerboard())
    model.label_factors_[3] = 0
    with pytest.raises(vse.InputError, match="the vector of label 'label 3' is zero"):
        model.similar_labels("label 3")
    assert "label 3" not in [match.name for match in model.similar_labels("label 2", n=99)]


def test_eases_labels_are_like_by_their_partial_correlation():
    """Against the correlations of what is left of two columns when all others are taken out by ridge regression."""
    data = checkerboard()
    model = vse.EaseAnnotator(l2=1.0).fit(data)
    matrix = data.to_csr().toarray()
    precision = np.linalg.inv(matrix.T @ matrix + np.eye(data.n_labels))
    scale = np.sqrt(np.diag(precision))
    expected = -precision / np.outer(scale, scale)
    found = dict(model.similar_labels("label 2", n=99))
    assert found == {f"label {j}": pytest.approx(expected[2, j], abs=1e-4) for j in range(data.n_labels) if j != 2}
    for a, b in itertools.combinations(range(4), 2):
        there, back = (dict(model.similar_labels(f"label {x}", n=99))[f"label {y}"] for x, y in ((a, b), (b, a)))
        assert there == pytest.approx(back, abs=1e-6)


def test_ease_knows_nothing_of_a_label_that_stands_alone():
    model = vse.EaseAnnotator(l2=1.0).fit([["cat", "animal"], ["dog", "animal"], ["alone"]])
    assert [match.name for match in model.similar_labels("cat")] == ["animal", "dog"]
    with pytest.raises(vse.InputError, match="label 'alone' never occurs with another"):
        model.similar_labels("alone")


def test_models_without_vectors_say_so():
    data = checkerboard()
    with pytest.raises(vse.InputError, match="a PopularityAnnotator cannot compare labels"):
        vse.PopularityAnnotator().fit(data).similar_labels("label 0")
    for model in (vse.PopularityAnnotator(), vse.EaseAnnotator()):
        with pytest.raises(vse.InputError, match="has no image vectors; use an ImageAnnotator"):
            model.fit(data).similar_images("image 0")


def test_the_number_of_threads_changes_nothing():
    data = checkerboard(200, 10)
    answers = []
    for n_threads in (1, 2):
        model = model_of(n_threads=1).fit(data)
        model.n_threads = n_threads
        answers.append((model.annotate(data, n=3), model.find_images("label 2"), model.similar_images("image 0")))
    assert answers[0] == answers[1]
