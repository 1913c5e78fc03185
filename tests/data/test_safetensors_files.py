"""Vectors in safetensors files, read back by the format's own library."""

from __future__ import annotations

import json

import numpy as np
import pytest

import vsenumba as vse
from vsenumba.data import safetensors_files
from vsenumba.data.safetensors_files import write_safetensors

safetensors = pytest.importorskip("safetensors", reason="safetensors is not installed")

NAMES = ["cat", 'a "quoted" name', "schön", "back\\slash", "line\nfeed"]


def read(path):
    with safetensors.safe_open(path, framework="numpy") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118  # no mapping


def tables(n_factors=3):
    labels = np.random.default_rng(0).normal(size=(len(NAMES), n_factors)).astype(np.float32)
    images = np.arange(2 * n_factors, dtype=np.float32).reshape(n_factors, 2).T
    return (vse.Vocabulary(NAMES, "label"), labels), (vse.Vocabulary(["x.jpg", "y.jpg"], "image"), images)


def test_names_and_vectors_come_back(tmp_path):
    (labels, label_factors), (images, image_factors) = tables()
    write_safetensors(tmp_path / "v.safetensors", [(labels, label_factors), (images, image_factors)])
    tensors, metadata = read(tmp_path / "v.safetensors")
    np.testing.assert_array_equal(tensors["label_factors"], label_factors)
    np.testing.assert_array_equal(tensors["image_factors"], image_factors)
    assert json.loads(metadata["label_names"]) == NAMES == list(labels)
    assert json.loads(metadata["image_names"]) == ["x.jpg", "y.jpg"]
    assert metadata["vsenumba"] == vse.__version__


def test_tensors_begin_where_memory_maps_can_be_read(tmp_path):
    for n_factors in range(1, 5):
        write_safetensors(tmp_path / "v.safetensors", tables(n_factors))
        assert int.from_bytes((tmp_path / "v.safetensors").read_bytes()[:8], "little") % 8 == 0


def test_more_names_than_readers_allow_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(safetensors_files, "_LONGEST_HEADER", 300)
    (tmp_path / "v.safetensors").write_bytes(b"old")
    with pytest.raises(vse.InputError, match=r"readers of safetensors allow .*; choose one kind with --what, or write"):
        write_safetensors(tmp_path / "v.safetensors", tables())
    assert (tmp_path / "v.safetensors").read_bytes() == b"old"


def test_the_limit_is_that_of_the_library(tmp_path):
    header = json.dumps({"__metadata__": {"x": "y" * safetensors_files._LONGEST_HEADER}}).encode()
    (tmp_path / "v.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(safetensors.SafetensorError, match="(?i)header.*too.*large"):
        read(tmp_path / "v.safetensors")


class TestExport:
    @pytest.fixture
    def model(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        model = vse.ImageAnnotator(n_factors=4, n_epochs=1, random_state=0).fit(vse.synthetic(60, 12, 240, rng=0))
        model.save("model.h5")
        return model

    def test_all_vectors_of_a_model_are_exported_unless_one_kind_is_named(self, succeeds, model):
        done = succeeds("export", "model.h5", "-o", "v.safetensors")
        assert "12 labels, 4 factors" in done.err + done.out
        assert "60 images, 4 factors" in done.err + done.out
        tensors, metadata = read("v.safetensors")
        np.testing.assert_array_equal(tensors["label_factors"], model.label_factors_)
        np.testing.assert_array_equal(tensors["image_factors"], model.embed(model.seen_))
        assert json.loads(metadata["image_names"]) == list(model.image_ids_)
        succeeds("export", "model.h5", "-o", "v.safetensors", "--what", "images")
        tensors, metadata = read("v.safetensors")
        assert list(tensors) == ["image_factors"]
        assert "label_names" not in metadata

    def test_a_set_says_whose_images(self, succeeds, model):
        vse.synthetic(20, 12, 60, rng=1).save("other.h5")
        succeeds("export", "model.h5", "-o", "v.safetensors", "--data", "other.h5")
        tensors, _ = read("v.safetensors")
        assert {name: tensor.shape for name, tensor in tensors.items()} == {
            "label_factors": (12, 4),
            "image_factors": (20, 4),
        }

    def test_words_have_one_kind(self, succeeds, model):
        text = [["a", "b", "c"], ["b", "c", "a"]] * 5
        vse.WordEmbedder(n_factors=2, n_epochs=1, subsample=0, random_state=0).fit(text).save("words.h5")
        succeeds("export", "words.h5", "-o", "w.safetensors")
        tensors, metadata = read("w.safetensors")
        assert tensors["word_factors"].shape == (3, 2)
        assert sorted(json.loads(metadata["word_names"])) == ["a", "b", "c"]
