"""A folder and its tags become one set, and what is left out is said."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from sample_pictures import broken

import vsenumba as vse
from vsenumba.errors import InputError
from vsenumba.pictures import DescriptorBackbone, read_pictures


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "photos"
    for name, colour in (("birds/a.png", "red"), ("birds/b.png", "green"), ("c.jpg", "blue"), ("d.gif", "white")):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (30, 20), colour).save(path / name)
    return path


def test_without_tags_all_are_untagged(folder):
    data = vse.load_pictures(folder)
    assert list(data.image_ids) == ["birds/a.png", "birds/b.png", "c.jpg", "d.gif"]
    assert data.shape == (4, 0)
    assert data.features.shape == (4, 256)
    assert data.backbone == DescriptorBackbone().id


def test_a_set_that_is_saved_is_the_same(folder, tmp_path):
    data = vse.load_pictures(folder)
    data.save(tmp_path / "set.h5")
    again = vse.load_dataset(tmp_path / "set.h5")
    assert again.image_ids == data.image_ids
    assert np.array_equal(again.features, data.features)
    assert again.backbone == data.backbone


def test_tags_by_path_by_name_and_as_a_set(folder, tmp_path):
    (tmp_path / "tags.csv").write_text("image,tag\nbirds/a.png,bird\nbirds/a.png,red\nc,sky\n")
    data = vse.load_pictures(folder, tmp_path / "tags.csv")
    assert [data.labels_of(one) for one in data.image_ids] == [["bird", "red"], [], ["sky"], []]
    assert data.features.shape == (4, 256)
    same = vse.load_pictures(folder, vse.load_dataset(tmp_path / "tags.csv"))
    assert same.digest() == data.digest()
    read = read_pictures(folder, str(tmp_path / "tags.csv"))
    assert read.joined.ways == {"by path": 1, "without the ending": 1}
    assert read.remarks == []


def test_what_is_left_out_is_warned_of(folder, tmp_path):
    for name, content in broken().items():
        (folder / name).write_bytes(content)
    (folder / "e.heic").write_bytes(b"x")
    tags = vse.AnnotationSet.from_lists([["bird"], ["x"], ["y"], ["cut"]], ["a.png", "birds/aa.png", "?", "cut.png"])
    with pytest.warns(UserWarning, match="skipped") as caught:
        data = vse.load_pictures(folder, tags)
    said = " ".join(str(one.message) for one in caught)
    assert f"skipped {len(broken())} pictures: cut.bmp: a broken picture" in said
    assert f"and {len(broken()) - 3} more" in said
    assert "1 .heic; convert" in said
    assert "skipped 2 tagged images" in said
    assert "'birds/aa.png' (nearest picture: 'birds/a.png')" in said
    assert list(data.image_ids) == ["birds/a.png", "birds/b.png", "c.jpg", "d.gif"]
    assert data.labels_of("birds/a.png") == ["bird"]
    assert all(one.filename == __file__ for one in caught)


def test_tags_that_name_no_picture_are_found_out_before_any_is_decoded(folder, tmp_path):
    def refuse(pictures):
        raise AssertionError

    tags = vse.AnnotationSet.from_lists([["bird"]], ["birds/x.png"])
    with pytest.raises(InputError, match=r"none of the 1 images in the tags is a picture in .*photos"):
        vse.load_pictures(folder, tags, backbone=refuse)
    (tmp_path / "tags.csv").write_text("image,tag\nx,bird\n")
    with pytest.raises(InputError, match=r"images in .*tags.csv is a picture"):
        vse.load_pictures(folder, tmp_path / "tags.csv", backbone=refuse)


def test_tags_that_name_broken_pictures_only(folder):
    (folder / "e.png").write_bytes(b"x")
    with pytest.raises(InputError, match="none of the pictures with tags could be read: e.png: not a JPEG"):
        vse.load_pictures(folder, vse.AnnotationSet.from_lists([["bird"]], ["e.png"]))


def test_a_model_is_fitted_on_it(folder, tmp_path):
    tags = vse.AnnotationSet.from_lists([["bird", "red"], ["bird"], ["sky"]], ["a.png", "b.png", "c.jpg"])
    data = vse.load_pictures(folder, tags, backbone=lambda p: p.mean(axis=(1, 2)), size=4, name="mean")
    assert data.backbone.name == "mean"
    assert np.allclose(data.features[0], [255, 0, 0])
    model = vse.PopularityAnnotator().fit(data)
    assert model.annotate(["d.gif"])[0][0].name == "bird"
