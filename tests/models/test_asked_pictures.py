"""Pictures that a model is asked about, with a stand-in for what reads and describes them."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from checkerboards import checkerboard, model_of

import vsenumba as vse
from vsenumba.data.backbone_id import BackboneId

OWN = BackboneId("mean", "a" * 64)


@pytest.fixture
def room(monkeypatch):
    """Have pictures be described by a backbone called "mean"; what is read is noted."""
    read = []

    def as_backbone(value):
        if value in ("mean", "other"):
            return SimpleNamespace(id=BackboneId(value, "a" * 64 if value == "mean" else "b" * 64))
        raise vse.InputError(f"no backbone is called {value!r}")

    def load_pictures(folder, tags=None, *, backbone):
        read.append((folder, tags, backbone.id))
        lists = [["label 0", "label 4"], ["label 1"]] if tags is None else [["label 0", "brand new"], ["label 3"]]
        data = vse.AnnotationSet.from_lists(lists, ["birds/a.jpg", "b.jpg"])
        return data.with_features(np.array([[0, 1], [1, 1]]), backbone.id)

    monkeypatch.setitem(
        sys.modules, "vsenumba.pictures", SimpleNamespace(as_backbone=as_backbone, load_pictures=load_pictures)
    )
    return read


def model_with(backbone):
    """Return a model of what images look like, and of their labels."""
    data = checkerboard()
    looks = np.stack([np.arange(data.n_images) % 2, np.ones(data.n_images)], axis=1)
    return model_of(("labels", "features")).fit(data.with_features(looks, backbone))


@pytest.fixture(scope="module")
def model():
    return model_with(OWN)


@pytest.mark.parametrize("backbone", [None, "mean"])
def test_pictures_are_annotated_by_their_ids(room, model, backbone):
    found = model.annotate_pictures("new", 2, backbone=backbone, without=["label 2"])
    assert list(found) == ["birds/a.jpg", "b.jpg"]
    lists, looks = [["label 0", "label 4"], ["label 1"]], np.array([[0, 1], [1, 1]])
    expected = model.annotate(lists, 2, features=looks, without=["label 2"])
    assert [[match.name for match in one] for one in found.values()] == [
        [match.name for match in one] for one in expected
    ]
    assert room == [("new", None, OWN)]


@pytest.mark.filterwarnings("ignore:skipped")
def test_what_is_known_of_pictures_is_left_out(room, model):
    found = model.annotate_pictures("new", 99, known={"b.jpg": ["label 3"]})
    assert "label 0" not in [match.name for match in found["birds/a.jpg"]]
    assert len(found["b.jpg"]) == 9
    assert isinstance(room[0][1], vse.AnnotationSet)


def test_another_backbone_is_refused_before_a_picture_is_read(room, model):
    with pytest.raises(vse.InputError, match=r"the features were computed with .*'other'.*'mean'"):
        model.annotate_pictures("new", backbone="other")
    for backbone, what in (
        (BackboneId("mean", "c" * 64), "another version of 'mean' than the model's"),
        (BackboneId("net.onnx", "c" * 64), "backbone 'net.onnx', which cannot be found by its name; give it"),
        (None, "does not record the backbone of its features"),
    ):
        with pytest.raises(vse.InputError, match=what):
            model_with(backbone).annotate_pictures("new")
    assert room == []


def test_limits_are_checked_before_a_picture_is_read(room, model):
    with pytest.raises(vse.UnknownNameError, match="unknown label 'lable 0'"):
        model.annotate_pictures("new", only=["lable 0"])
    with pytest.raises(vse.InputError, match="n must be"):
        model.annotate_pictures("new", 0)
    assert room == []


def test_models_that_do_not_look_at_pictures_say_so(room):
    for model in (model_of(), vse.EaseAnnotator(), vse.PopularityAnnotator()):
        with pytest.raises(vse.InputError, match="the model does not use features of pictures"):
            model.fit(checkerboard()).annotate_pictures("new")
    assert room == []
