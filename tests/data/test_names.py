"""The one rule for names: what is text, what is none, and which two are the same."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest

import vsenumba as vse
from vsenumba.data.names import plain

DECOMPOSED = unicodedata.normalize("NFD", "Müller.jpg")


class NA:
    """As pandas' NA: a comparison with it is itself, and neither true nor false."""

    def __eq__(self, other):
        return self

    def __ne__(self, other):
        return self

    def __bool__(self):
        raise TypeError("boolean value of NA is ambiguous")

    __hash__ = object.__hash__


NA.__name__ = "NAType"
MAKERS = {
    "pairs": lambda name: vse.AnnotationSet.from_pairs(["a", name], ["x", "y"]),
    "labels of pairs": lambda name: vse.AnnotationSet.from_pairs(["a", "b"], ["x", name]),
    "lists": lambda name: vse.AnnotationSet.from_lists([["x", name]]),
    "ids of lists": lambda name: vse.AnnotationSet.from_lists([["x"], ["y"]], ["a", name]),
    "names of a matrix": lambda name: vse.AnnotationSet.from_csr(np.eye(2), label_names=["x", name]),
    "words": lambda name: vse.Corpus.from_sentences([["x", name]]),
    "vectors": lambda name: vse.WordVectors(["x", name], np.ones((2, 2))),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
class TestEveryConstructor:
    """Found 2026-11: gaps and bytes became names, each constructor in its own way; pandas' NA ended in a TypeError."""

    @pytest.mark.parametrize("gap", [None, float("nan"), np.datetime64("NaT"), NA(), "", " \u00a0", "\ufeff"])
    def test_refuses_gaps_by_place(self, make, gap):
        with pytest.raises(vse.InputError, match=r"name 1 is empty; every|a word must not be empty"):
            make(gap)

    def test_refuses_bytes(self, make):
        with pytest.raises(vse.InputError, match=r"name 1 is b'cat', bytes; convert it to text with .decode"):
            make(b"cat")

    @pytest.mark.parametrize("number", [1000.0, np.float32(2.5)])
    def test_refuses_fractional_numbers(self, make, number):
        with pytest.raises(vse.InputError, match=r"convert ids that were read as floats with astype\(int\)"):
            make(number)

    @pytest.mark.parametrize("other", [True, ("a",)])
    def test_refuses_what_is_no_text(self, make, other):
        with pytest.raises(vse.InputError, match="names must be text or whole numbers"):
            make(other)

    def test_takes_whole_numbers(self, make):
        make(7)
        make(np.int32(7))


def test_forms_of_unicode_and_outer_blanks_are_one_name():
    """Found 2026-11: "Müller.jpg" was "unknown, did you mean Müller.jpg"."""
    data = vse.AnnotationSet.from_pairs(["Müller.jpg", DECOMPOSED, " Müller.jpg\u00a0"], ["é", "e\u0301", "\ufeffé"])
    assert (list(data.image_ids), list(data.label_names)) == (["Müller.jpg"], ["é"])
    lists = vse.AnnotationSet.from_lists([["é", "x"], ["e\u0301 "]], [DECOMPOSED, "b"])
    assert (list(lists.image_ids), list(lists.label_names)) == (["Müller.jpg", "b"], ["é", "x"])
    model = vse.PopularityAnnotator().fit(lists)
    assert model.annotate([DECOMPOSED]) == model.annotate([" Müller.jpg"]) == [[]]
    assert [match.name for match in model.annotate(["b"])[0]] == ["x"]
    assert [match.name for match in model.find_images("x ")] == ["b"]
    assert lists.labels_of(DECOMPOSED) == ["é", "x"]


def test_tables_and_vectors_follow_it_too(tmp_path):
    (tmp_path / "t.csv").write_text(f"image,tag\nMüller.jpg,é\n{DECOMPOSED},e\u0301\n", encoding="utf-8")
    assert vse.load_dataset(tmp_path / "t.csv").n_pairs == 1
    vectors = vse.WordVectors(["café", "tea"], np.eye(2))
    assert np.array_equal(vectors["cafe\u0301"], vectors["café"])
    assert "cafe\u0301" in vectors


def test_what_must_be_distinct_is_compared_so():
    with pytest.raises(vse.InputError, match="'é' appears twice among the label names; names must differ in more than"):
        vse.Vocabulary(["é", "e\u0301"], "label")
    array = np.array(["a", " a"], dtype=np.dtypes.StringDType())
    with pytest.raises(vse.InputError, match="'a' appears twice"):
        vse.Vocabulary(array, "label")
    assert array.tolist() == ["a", " a"]


def test_a_plain_name_is_plain():
    for name in ("a", "a b", "é", "\u0645\u06cc\u200c\u062e", "\U0001f468\u200d\U0001f469"):
        assert plain(name) == plain(plain(name)) == name
