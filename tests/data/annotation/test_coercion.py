"""What people have, as an annotation set, where it can be read in one way only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

import vsenumba as vse
from vsenumba.data.annotation.coercion import as_annotation_set

LISTS = [["animal", "cat"], ["animal", "dog"], ["cat"]]


def of_objects(lists):
    array = np.empty(len(lists), dtype=object)
    array[:] = lists
    return array


FORMS = {
    "lists": LISTS,
    "tuples": tuple(map(tuple, LISTS)),
    "arrays of text": [np.array(one) for one in LISTS],
    "array of lists": of_objects(LISTS),
    "values of a dict": dict(enumerate(LISTS)).values(),
}


class Column:
    """As a column of pandas' or Polars' data frames: one dimension, an index or none."""

    ndim = 1

    def __init__(self, values, index=None):
        self._values = values
        if index is not None:
            self.index = index

    def __iter__(self):
        return iter(self._values)


class Frame:
    """As a data frame of pandas."""

    def __init__(self, columns, rows, index=range(0)):
        self.columns, self._rows, self.index = columns, rows, index
        self.shape = len(rows), len(columns)

    def __array__(self, dtype=None, copy=None):
        if not any(isinstance(cell, list) for row in self._rows for cell in row):
            return np.array(self._rows)
        cells = np.empty(self.shape, dtype=object)
        for i, row in enumerate(self._rows):
            for k, cell in enumerate(row):
                cells[i, k] = cell
        return cells


def labels_in(data):
    return [sorted(data.labels_of(image)) for image in data.image_ids]


@pytest.mark.parametrize("form", [*FORMS.values(), iter(LISTS), (one for one in LISTS), Column(LISTS)])
def test_collections_of_collections_are_label_lists(form):
    assert labels_in(as_annotation_set(form)) == LISTS


def test_lists_of_whole_numbers_are_label_lists():
    """Found 2026-11: they were read as a matrix of counts, in which 7 and 3 were "some" of labels 0 and 1."""
    for form in ([[7, 3], [3, 9], [7, 9]], ([7, 3], (3, 9), (7, 9)), [np.array(["7", "3"]), ["3", "9"], [7, 9]]):
        model = vse.PopularityAnnotator().fit(form)
        assert list(model.label_names_) == ["7", "3", "9"]
        assert labels_in(model.seen_) == [["3", "7"], ["3", "9"], ["7", "9"]]
    assert as_annotation_set(np.array([[7, 3], [0, 9]])).n_pairs == 3
    assert as_annotation_set(sp.dok_array(np.eye(3))).n_pairs == 3


def test_ids_come_with_a_mapping_or_an_index():
    assert list(as_annotation_set({"a": ["cat"], "b": {"dog"}}).image_ids) == ["a", "b"]
    assert list(as_annotation_set(Column(LISTS, index=["x", "y", "z"])).image_ids) == ["x", "y", "z"]
    assert list(as_annotation_set(Column(LISTS, index=range(3))).image_ids) == ["0", "1", "2"]


@pytest.mark.parametrize(("index", "ids"), [(range(2, -1, -1), "210"), (range(3, 6), "345"), (range(0, 6, 2), "024")])
def test_numbers_that_a_table_has_not_by_default_are_ids(index, ids):
    """Found 2026-11: each slice of a data frame had the images 0, 1, ..., so that those of two were taken for one."""
    assert list(as_annotation_set(Column(LISTS, index=index)).image_ids) == list(ids)
    assert list(as_annotation_set(Frame(["cat"], [[1], [0], [1]], index=index)).image_ids) == list(ids)


def test_data_frames_of_zeros_and_ones_are_matrices_with_names():
    data = as_annotation_set(Frame(["cat", "dog"], [[1, 0], [1, 1]], index=["a", "b"]))
    assert (list(data.image_ids), labels_in(data)) == (["a", "b"], [["cat"], ["cat", "dog"]])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (["cat", "dog"], r"X has 'cat' at index 0, .*AnnotationSet.from_pairs\(images, labels\) for two columns"),
        (
            [("a.jpg", "cat"), ("a.jpg", "dog")],
            r"which is ambiguous; pass AnnotationSet.from_pairs\(\*zip\(\*pairs\)\) for",
        ),
        ([["cat"], None], "X has None at index 1, .*from_lists"),
        ({"a": "cat"}, "X has 'cat' at index 0"),
        ({"cat", "dog"}, "X is a set, which has no order"),
        ([np.array([1, 0]), np.array([0, 1])], r"which is ambiguous; pass np.vstack\(...\) for the rows"),
        (Frame(["what", "where"], [["a", "cat"]]), r"from_pairs\(table\['what'\], table\['where'\]\) reads"),
        (Frame(["a", "b"], [[["a"], ["b"]]]), r"from_lists\(table\['a'\]\) reads a column of lists of labels"),
        (Frame(["tag"], [["a"]]), "has labels in 'tag', but no column of images; name one with image_column"),
        (Frame(["what", "where"], [[7, 3]]), "X: the column 'what' contains '7', not 0 or 1"),
    ],
)
def test_what_can_be_read_in_two_ways_is_asked_about(data, message):
    with pytest.raises(vse.InputError, match=message):
        vse.PopularityAnnotator().fit(data)


def test_constructors_refuse_collections_without_an_order():
    for make in (
        lambda: vse.AnnotationSet.from_pairs({"a", "b"}, ["x", "y"]),
        lambda: vse.AnnotationSet.from_lists({1, 2}),
    ):
        with pytest.raises(vse.InputError, match="set"):
            make()
    with pytest.raises(vse.InputError, match=r"not a dict; pass its values\(\), and its keys as image_ids"):
        vse.AnnotationSet.from_lists({"a": ["cat"]})


def test_sets_of_labels_are_the_same_whatever_the_hash_seed():
    """Found 2026-11: columns came in the order of Python's hashes, so that ``deterministic=True`` was not."""
    program = (
        "import vsenumba as vse\n"
        "lists = [{'b', 'a', 'cc', 'dd'}, frozenset({'cc', 'e', 'a'})]\n"
        "for data in (vse.AnnotationSet.from_lists(lists), vse.PopularityAnnotator().fit(lists).seen_,"
        " vse.PopularityAnnotator().fit({'i': lists[0]}).seen_):\n"
        "    print(list(data.label_names), data.digest())"
    )
    path = str(Path(vse.__file__).parents[1])
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path},
        ).stdout
        for seed in "012"
    }  # fmt: skip
    assert len(outputs) == 1
