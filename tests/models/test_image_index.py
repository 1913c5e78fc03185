"""An approximate index of images, with the least number of images brought down."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from checkerboards import checkerboard, model_of

import vsenumba as vse
from vsenumba.models import image_index
from vsenumba.models.image_index import ImageIndex

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of SWIG, which faiss is wrapped by
    pytest.importorskip("faiss")


@pytest.fixture(autouse=True)
def pays_soon(monkeypatch):
    monkeypatch.setattr(image_index, "LEAST_IMAGES", 20)


@pytest.fixture(scope="module")
def model():
    return model_of(n_epochs=6, max_neighbours=0).fit(checkerboard(400, 10))


@pytest.mark.parametrize("label", ["label 2", ["label 2", "label 4"]])
@pytest.mark.parametrize("include_known", [False, True])
def test_most_of_what_is_exact_is_found_with_its_scores(model, label, include_known):
    index = ImageIndex.build(model)
    assert 0.95 <= index.recall <= 1
    exact = model.find_images(label, 50, include_known=include_known)
    found = index.find_images(label, 50, include_known=include_known)
    scores = dict(model.find_images(label, 400, include_known=True))
    assert [match.score for match in found] == [pytest.approx(scores[match.name], rel=1e-4) for match in found]
    assert found == sorted(found, key=lambda match: -match.score)
    near = [match for match in found if match.score >= exact[-1].score - 1e-4]
    assert len(near) >= 0.8 * len(exact)
    if not include_known:
        wanted = {label} if isinstance(label, str) else set(label)
        assert not any(wanted <= set(model.seen_.labels_of(match.name)) for match in found)


@pytest.mark.parametrize("n", [190, 400])
def test_as_many_are_found_as_there_are(model, n):
    """Found 2026-11: images that have the label fill the lists near it, so that too few of the others were found."""
    index = ImageIndex.build(model)
    index._index.nprobe = 1
    exact = model.find_images("label 2", n)
    found = index.find_images("label 2", n)
    assert len(found) == len(exact) > 100
    assert len({match.name for match in found}) == len(found)


def test_no_image_may_be_found():
    data = vse.AnnotationSet.from_lists([["x", "y"], ["x"], ["x", "z"], ["x", "y"]] * 10)
    index = ImageIndex.build(vse.ImageAnnotator(n_factors=4, n_epochs=2, max_neighbours=0, random_state=0).fit(data))
    assert index.find_images("x", 5) == []
    assert len(index.find_images("y", 30)) == 20


def test_an_index_that_looks_everywhere_is_exact(model):
    index = ImageIndex.build(model)
    index._index.nprobe = index._index.nlist
    exact = model.find_images("label 3", 20)
    found = index.find_images("label 3", 20)
    assert [match.score for match in found] == [pytest.approx(match.score, rel=1e-4) for match in exact]


def test_an_index_is_saved_and_read(model, tmp_path):
    index = ImageIndex.build(model)
    index.save(tmp_path / "i.ann")
    other = ImageIndex.load(tmp_path / "i.ann", model)
    assert other.find_images("label 2") == index.find_images("label 2")
    assert repr(other) == repr(index)
    assert "400 images, recall@10 " in repr(other)


def test_a_stale_index_is_refused(model, tmp_path):
    ImageIndex.build(model).save(tmp_path / "i.ann")
    other = model_of(n_epochs=2, max_neighbours=0).fit(checkerboard(400, 10))
    for stale, images in ((other, None), (model, checkerboard(40, 10))):
        with pytest.raises(vse.InputError, match="was built from another model or other images; build it again"):
            ImageIndex.load(tmp_path / "i.ann", stale, images)


def test_what_is_no_index_is_refused(model, tmp_path):
    path = tmp_path / "i.ann"
    ImageIndex.build(model).save(path)
    whole = path.read_bytes()
    head = whole.index(b"\n", 30)
    flipped = bytearray(whole)
    flipped[-9] ^= 1
    for damaged, what in (
        (b"", "not an index"),
        (b"PK" + whole, "not an index"),
        (whole[: head - 4], "the header of the index cannot be read"),
        (whole[:23] + b"[1]\n", "the header of the index cannot be read"),
        (whole[: len(whole) // 2], "damaged or incomplete"),
        (bytes(flipped), "damaged or incomplete"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(vse.FileFormatError, match=what):
            ImageIndex.load(path, model)
    with pytest.raises(vse.InputError):
        ImageIndex.load(tmp_path / "none.ann", model)


def test_too_few_images_and_models_without_vectors(model, monkeypatch):
    with pytest.raises(vse.InputError, match="a PopularityAnnotator has no image vectors to index"):
        ImageIndex.build(vse.PopularityAnnotator().fit(checkerboard()))
    with pytest.raises(vse.InputError, match="an index needs 20 images, not 12"):
        ImageIndex.build(model, checkerboard(12, 10))
    index = ImageIndex.build(model, checkerboard(30, 10))
    assert len(index.find_images("label 2", 99)) <= 30
    with pytest.raises(vse.UnknownNameError, match="unknown label 'lable 2'"):
        index.find_images("lable 2")


def test_without_faiss_one_is_told_how_to_get_it(model, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "faiss", None)
    with pytest.raises(vse.InputError, match=r"needs faiss; install it with pip install 'vsenumba\[ann\]'"):
        ImageIndex.build(model)
    assert np.isfinite(model.label_factors_).all()
