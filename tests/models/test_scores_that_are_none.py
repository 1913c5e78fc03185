"""Arrays of models of images and labels that do not fit, or hold NaN: nothing is suggested by them."""

from __future__ import annotations

import copy
import re

import numpy as np
import pytest
from checkerboards import checkerboard

import vsenumba as vse
from vsenumba.data import Vocabulary
from vsenumba.data.matches import best_matches

NOT_FINITE = r"^the score of '[\w ]+' is (nan|inf): the model's arrays contain NaN or numbers that are too large; "


def uses(model, data):
    return {
        "annotate": lambda: model.annotate(["image 3", "image 0"]),
        "annotate lists": lambda: model.annotate([[data.label_names[0]]]),
        "find_images": lambda: model.find_images(data.label_names[0]),
        "evaluate": lambda: vse.evaluate(model, data, exclude=None),
        "score": lambda: model.score(data),
    }


CUTS = {
    "fewer": lambda array: array[..., :3],
    "more": lambda array: np.concatenate([array, array[..., :1]], axis=-1),
    "another axis": lambda array: array[None],
}


@pytest.mark.filterwarnings("ignore:the model was trained on")
@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
@pytest.mark.parametrize("name", ["weights_", "counts_"])
def test_arrays_of_another_shape_are_refused_by_their_name(name, cut):
    """Found 2026-11: weights of fewer columns ranked fewer labels, and counts that were too long were an IndexError."""
    data = checkerboard()
    model = {"weights_": vse.EaseAnnotator, "counts_": vse.PopularityAnnotator}[name]().fit(data)
    setattr(model, name, cut(getattr(model, name)))
    shape = (data.n_labels,) * (2 if name == "weights_" else 1)
    for way in uses(model, data).values():
        with pytest.raises(vse.InputError, match=rf"^{name} must have the shape {re.escape(str(shape))}, not "):
            way()


@pytest.mark.parametrize(("name", "bad"), [("weights_", "ab"), ("weights_", 1j), ("counts_", 0.5), ("counts_", "a")])
def test_arrays_of_other_numbers_are_refused_by_their_name(name, bad):
    data = checkerboard()
    model = {"weights_": vse.EaseAnnotator, "counts_": vse.PopularityAnnotator}[name]().fit(data)
    setattr(model, name, np.full_like(getattr(model, name), bad, dtype=np.asarray(bad).dtype))
    with pytest.raises(vse.InputError, match=rf"^{name} must hold \w+ numbers, not "):
        model.annotate(["image 3"])


def test_weights_and_counts_that_are_lists_are_as_good():
    """Found 2026-11: AttributeError."""
    data = checkerboard()
    for make, name in ((vse.EaseAnnotator, "weights_"), (vse.PopularityAnnotator, "counts_")):
        model = make().fit(data)
        other = copy.copy(model)
        setattr(other, name, getattr(model, name).tolist())
        assert other.annotate(["image 3", "image 0"]) == model.annotate(["image 3", "image 0"])


@pytest.mark.filterwarnings("ignore:the model was trained on", "ignore:no labels are suggested", "ignore:invalid value")
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("inputs", ["labels", "ids", "ease"])
def test_scores_that_are_not_finite_are_refused(inputs, bad):
    """Found 2026-11: NaN in the arrays gave no labels for an image, or others than there should be, without a word."""
    data = checkerboard()
    if inputs == "ease":
        model = vse.EaseAnnotator().fit(data)
        model.weights_[:, 0] = bad
    else:
        model = vse.ImageAnnotator(inputs, n_factors=4, n_epochs=1, random_state=0).fit(data)
        model.label_factors_[0] = bad
    for way in ("annotate", "find_images"):
        # For a label's own images its score is not looked at.
        image = next(image for image in data.image_ids if data.label_names[0] not in data.labels_of(image))
        with pytest.raises(vse.InputError, match=NOT_FINITE):
            model.annotate([image]) if way == "annotate" else uses(model, data)[way]()


@pytest.mark.parametrize("scores", [[np.nan], [1, np.nan, 3], [-np.inf, np.nan], [np.inf, 1], [1, 2, 3, np.inf]])
def test_the_best_of_scores_that_are_not_finite_are_not_told(scores):
    with pytest.raises(vse.InputError, match=NOT_FINITE):
        best_matches(np.array(scores, np.float32), 2, Vocabulary(["a", "b", "c", "d"][: len(scores)], "label"))


def test_the_best_of_none_and_of_those_left_out():
    names = Vocabulary(["a", "b"], "label")
    assert best_matches(np.array([-np.inf, -np.inf]), 2, names) == []
    assert best_matches(np.zeros(0), 2, Vocabulary([], "label")) == []


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_factors_that_are_not_finite_are_refused(bad):
    """Found 2026-11: the answer for NaN was an empty list."""
    model = vse.ImageAnnotator(n_factors=4, n_epochs=1, random_state=0).fit(checkerboard())
    with pytest.raises(vse.InputError, match=r"^row 1 of factors contains NaN, inf or a number too large for float32$"):
        model.annotate_factors([[1, 2, 3, 4], [1, 2, 3, bad]])
    with pytest.raises(vse.InputError, match="^factors must not be a masked array"):
        model.annotate_factors(np.ma.array(np.ones((1, 4)), mask=True))


def test_counts_of_a_model_are_its_own():
    """A sibling: whoever changed a model's counts changed those of the set that it was fitted on."""
    data = checkerboard()
    model = vse.PopularityAnnotator().fit(data)
    before = data.label_counts.copy()
    model.counts_[:] = 0
    np.testing.assert_array_equal(data.label_counts, before)


# Labels so much alike that only l2 tells them apart.
ALIKE = np.ones((50, 3))
ALIKE[1::2, 2] = 0


@pytest.mark.parametrize("l2", [1e-300, 1e-20, 1e-15, 1e-14, 1e-13])
def test_ease_refuses_an_l2_by_which_it_cannot_invert(l2):
    """Found 2026-11: weights of minus infinity at 1e-14, and of 3.5e15 at 1e-15, where a quarter is right."""
    with pytest.raises(
        vse.InputError, match=rf"^l2={l2} is too small for this set: .*use a larger value, such as l2=30$"
    ):
        vse.EaseAnnotator(l2=l2).fit(ALIKE)


@pytest.mark.parametrize("l2", [1e-10, 1e-6, 1e-2, 1, 1e30])
def test_ease_inverts_by_an_l2_that_is_enough(l2):
    """Every label's weights are the ridge regression of it on the others, which is solved by hand here."""
    weights = vse.EaseAnnotator(l2=l2).fit(ALIKE).weights_
    of_the_third = 25 / (100 + l2)
    determinant = (50 + l2) * (25 + l2) - 25 * 25
    of_another = (50 * (25 + l2) - 25 * 25) / determinant, (25 * (50 + l2) - 25 * 50) / determinant
    np.testing.assert_allclose(weights[:2, 2], of_the_third, rtol=1e-3)
    np.testing.assert_allclose(weights[1:, 0], of_another, rtol=1e-3)
    np.testing.assert_allclose(weights[[0, 2], 1], of_another, rtol=1e-3)
    assert not weights.diagonal().any()
