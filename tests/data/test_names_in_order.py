"""What holds names must have an order, and the names that are computed must be such as are found."""

from __future__ import annotations

import numpy as np
import pytest

import vsenumba as vse
from vsenumba import storage
from vsenumba.data import AnnotationSet, Vocabulary

UNORDERED = "must have an order, and a (set|frozenset) has none; use a list or sorted"


@pytest.mark.parametrize("kind", [set, frozenset])
def test_sets_are_no_names(kind):
    """Found 2026-11: which image had which labels followed the hash seed of the process."""
    one, two = kind(["a"]), kind(["a", "b"])
    eye = np.eye(2)
    model = vse.ImageAnnotator(n_factors=4, n_epochs=1, random_state=0).fit([["x", "y"], ["y", "z"]])
    ways = {
        "image names": [
            lambda: AnnotationSet.from_lists([["x"], ["y"]], two),
            lambda: AnnotationSet.from_csr(eye, image_ids=two),
            lambda: AnnotationSet(np.array([0, 1]), np.array([0]), 1, one),
            lambda: model.image_ids_.index(two),
        ],
        "label names": [
            lambda: AnnotationSet.from_csr(eye, label_names=two),
            lambda: Vocabulary(two, "label"),
            lambda: model.label_names_.index(kind(["x"])),
        ],
        "images": [lambda: AnnotationSet.from_pairs(two, ["x", "y"])],
        "labels": [
            lambda: AnnotationSet.from_pairs(["x", "y"], two),
            lambda: model.fold_in(kind([("x",), ("y",)])),
        ],
        "titles": [lambda: AnnotationSet(np.array([0, 1]), np.array([0]), 1, titles=one)],
        "word names": [lambda: vse.WordVectors(two, eye)],
    }
    for what, some in ways.items():
        for way in some:
            with pytest.raises(vse.InputError, match=f"^{what} {UNORDERED}"):
                way()


def test_what_has_an_order_is_names():
    mapping = {"b": 1, "a": 2}
    for names in (mapping, mapping.keys(), iter(mapping), dict.fromkeys(mapping).keys(), np.array(["b", "a"])):
        assert list(Vocabulary(names, "image")) == ["b", "a"]
    assert list(Vocabulary(mapping.values(), "image")) == ["1", "2"]
    data = AnnotationSet.from_pairs(mapping.keys(), mapping.values())
    assert data.labels_of("b") == ["1"]
    # The labels of one image are sorted.
    assert list(AnnotationSet.from_lists([{"b", "a"}]).label_names) == ["a", "b"]


@pytest.mark.parametrize(
    ("prefix", "right"),
    [(" a", "'a'"), ("e\u0301", "'\\xe9'"), ("\u200ba", "'a'"), ("\n", "''"), ("\u212b", "'\\xc5'")],
)
def test_a_prefix_that_makes_no_names_is_refused(prefix, right, tmp_path):
    """Found 2026-11: such a file was read, and none of its names could be looked up."""
    for way in (
        lambda: Vocabulary.numbered(3, "image", prefix),
        lambda: Vocabulary.from_element({"prefix": prefix, "count": 3}, "image"),
    ):
        with pytest.raises(vse.InputError) as raised:
            way()
        expected = f"{prefix!a}, is not in Unicode form NFC, or begins with a space; use {right}"
        assert str(raised.value) == f"the prefix of the image names, {expected}"
    elements = AnnotationSet.from_csr(np.eye(3)).to_elements()
    elements["image_ids"] = storage.Json({"prefix": prefix, "count": 3})
    storage.write_file(tmp_path / "set.h5", "annotation-set", elements)
    with pytest.raises(vse.FileFormatError, match=r"set.h5: .*the prefix of the image names"):
        vse.load_dataset(tmp_path / "set.h5")


@pytest.mark.parametrize("prefix", ["", "a", "a ", "é", "é ", "\u0301", "-", "0", "a\u200b"])
def test_a_prefix_makes_names_that_are_found(prefix):
    names = Vocabulary.numbered(12, "image", prefix)
    np.testing.assert_array_equal(names.index(list(names)), np.arange(12))


def test_texts_that_are_no_unicode_are_refused():
    """Found 2026-11: UnicodeEncodeError for titles."""
    for titles in (["\ud800"], np.array(["\ud800"], dtype=object), np.array(["\ud800"])):
        with pytest.raises(vse.InputError, match=r"^title '\\ud800' is not valid Unicode: surrogates not allowed$"):
            AnnotationSet(np.array([0, 1]), np.array([0]), 1, titles=titles)
    with pytest.raises(vse.InputError, match=r"^the prefix of the image names '\\ud800' is not valid Unicode"):
        Vocabulary.numbered(3, "image", "\ud800")
