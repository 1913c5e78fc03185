"""Images that come without ids: label lists and rows of a matrix, asked about and learnt from."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from checkerboards import checkerboard, model_of
from sklearn.base import clone

import vsenumba as vse

TRAINED = [model_of(), model_of("ids"), model_of(("labels", "ids"))]
MODELS = [
    *TRAINED,
    vse.EaseAnnotator(l2=1.0),
    vse.EaseAnnotator(l2=1.0, max_neighbours=4),
    vse.PopularityAnnotator(),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: str(getattr(model, "inputs", model.kind)))
class TestLabelLists:
    """Found 2026-11: `annotate([["clock", "time"]])` was an unknown image, and the way round it gave these back."""

    def test_the_labels_that_are_given_are_left_out(self, model):
        data = checkerboard()
        model.fit(data)
        given = [["label 0", "label 4"], ["label 1"]]
        for lists in (given, [tuple(one) for one in given], [set(one) for one in given], iter(given)):
            suggested = model.annotate(lists, n=99)
            assert [len(one) for one in suggested] == [data.n_labels - 2, data.n_labels - 1]
            assert not any(match.name in own for own, one in zip(given, suggested, strict=True) for match in one)

    def test_a_set_of_the_same_lists_is_answered_alike(self, model):
        model.fit(checkerboard())
        lists = [["label 0", "label 4"], ["label 1"]]
        if model.get_params().get("inputs") == "ids":
            # Whose rows are there for known images only.
            with pytest.raises(vse.UnknownNameError, match="unknown image"):
                model.annotate(vse.AnnotationSet.from_lists(lists))
        else:
            assert model.annotate(lists) == model.annotate(vse.AnnotationSet.from_lists(lists))

    def test_unknown_labels_and_mixtures_are_refused(self, model):
        model.fit(checkerboard())
        with pytest.raises(vse.UnknownNameError, match="unknown label 'lable 0'; did you mean 'label 0'"):
            model.annotate([["lable 0"]])
        with pytest.raises(vse.InputError, match="one list of names per image"):
            model.annotate([["label 0"], "image 1"])


@pytest.mark.parametrize("model", TRAINED, ids=lambda model: str(model.inputs))
def test_images_without_ids_are_new_each_time(model):
    """Found 2026-11: `partial_fit` of two lists, one after the other, made one image "0" of them with all labels."""
    model = clone(model)
    for lists in ([["cat", "clock"]], [["dog", "bone"]], [["dog", "cat"], ["clock", "bone"]]):
        model.partial_fit(lists)
    found = {image: sorted(model.seen_.labels_of(image)) for image in model.image_ids_}
    assert found == {"0": ["cat", "clock"], "1": ["bone", "dog"], "2": ["cat", "dog"], "3": ["bone", "clock"]}


def test_rows_of_a_matrix_are_new_images_each_time():
    model = model_of()
    for matrix in (np.eye(2, 3), np.ones((2, 3)), np.ones((1, 3))):
        model.partial_fit(matrix)
    assert model.seen_.labels_per_image.tolist() == [1, 1, 3, 3, 3]
    with pytest.raises(vse.InputError, match="expecting 3 features"):
        model.partial_fit(np.ones((2, 4)))


def test_new_images_take_no_id_that_is_there():
    data = vse.AnnotationSet.from_pairs(["1", "1", "2", "a", "a"], ["cat", "dog", "dog", "cat", "ox"])
    model = model_of().fit(data).partial_fit([["cat"], ["dog"], ["cat", "dog"]])
    assert list(model.image_ids_) == ["1", "2", "a", "3", "4", "5"]


@pytest.mark.parametrize("model", TRAINED, ids=lambda model: str(model.inputs))
def test_images_with_ids_are_matched(model):
    """Found 2026-11: `partial_fit` dropped the ids of mappings and data frames, and "b" was offered what it has."""
    model = clone(model).fit({"a": ["cat", "dog", "cow"], "b": ["cat", "cow"], "c": ["dog", "hen"]})
    model.partial_fit({"b": ["hen"], "new": ["cat", "dog"]})
    assert list(model.image_ids_) == ["a", "b", "c", "new"]
    assert sorted(model.seen_.labels_of("b")) == ["cat", "cow", "hen"]
    assert [match.name for match in model.annotate(["b"])[0]] == ["dog"]


@pytest.mark.parametrize("model", [TRAINED[0], *MODELS[3:]], ids=lambda model: model.kind)
def test_whatever_images_come_with_their_labels_in(model):
    """Found 2026-11: of a mapping the lists were ignored, and the rows of a matrix were read as labels 0 and 1."""
    matrix = checkerboard().to_csr().toarray() > 0
    model.fit(matrix)
    expected = model.annotate([["0", "2"], ["1"]], n=3)
    rows = np.zeros((2, matrix.shape[1]), bool)
    rows[0, [0, 2]] = rows[1, 1] = True
    for images in ({"x": ["0", "2"], "y": ["1"]}, rows, sp.csr_array(rows), sp.coo_matrix(rows)):
        assert model.annotate(images, n=3) == expected
    with pytest.raises(vse.InputError, match="one list of names per image"):
        model.annotate(list(rows))
    if isinstance(model, vse.ImageAnnotator):
        with pytest.raises(vse.InputError, match="one list of names per image"):
            model.fold_in(rows)


def test_a_model_that_made_no_step_knows_nothing():
    """Found 2026-11: it suggested labels by vectors that were never trained, and its MRR was 1 of one candidate."""
    for inputs, lists, why in (
        ("labels", [["a"], ["b"], ["c"]], "no image has two; try inputs 'ids'"),
        ("ids", [["a", "b"]] * 3, "every image has every label"),
        ("labels", [["a", "b"]] * 3 + [["a"]], "every image with two labels has every label"),
    ):
        with pytest.warns(UserWarning, match=f"cannot learn anything and will suggest nothing: .*{why}"):
            model = model_of(inputs).fit(lists)
        with pytest.warns(UserWarning, match="nothing is known about them"):
            assert model.annotate(["0"]) == [[]]
        assert model.find_images("a", include_known=True) == []
    model = model_of().partial_fit([["a"], ["b"]]).partial_fit([["a", "b"], ["b", "c"]])
    assert len(model.annotate([["a"]])[0]) == 2


def test_labels_that_are_numbers_are_names():
    """A sibling: label lists of "0", "1", ... were taken for the columns of a matrix."""
    data = vse.AnnotationSet.from_lists([["2", "1"], ["1", "0"], ["2", "0"]])
    model = model_of().fit(data)
    assert list(model.label_names_) == ["2", "1", "0"]
    assert np.array_equal(model.embed([["0", "1"]]), model.fold_in([["0", "1"]]))
    assert np.array_equal(model.embed([["0"], ["1"], ["2"]]), model.fold_in([["0"], ["1"], ["2"]]))


def test_a_set_of_ids_has_no_order_to_be_answered_in():
    """Found 2026-11: the answers came in the order of Python's hash seed."""
    model = model_of().fit(checkerboard())
    with pytest.raises(vse.InputError, match="images must have an order, and a set has none"):
        model.annotate({"image 0", "image 1"})
    assert len(model.annotate(dict.fromkeys(["image 0", "image 1"]).keys())) == 2
