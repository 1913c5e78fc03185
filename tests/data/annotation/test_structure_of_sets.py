"""The arrays of a set: what it is made of, that they stay as they are, and what is chosen of them."""

from __future__ import annotations

import copy
import pickle

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from changed_sets import forced

import vsenumba as vse
from vsenumba.data import AnnotationSet, Vocabulary

LISTS = [["x", "y"], ["y", "z"], []]


def made():
    return AnnotationSet.from_lists(LISTS)


def loaded(tmp_path):
    made().save(tmp_path / "set.h5")
    return vse.load_dataset(tmp_path / "set.h5")


def mapped(tmp_path):
    joblib.dump(made(), tmp_path / "set")
    return joblib.load(tmp_path / "set", mmap_mode="r+")


WAYS = {
    "made": lambda tmp_path: made(),
    "loaded": loaded,
    "copied": lambda tmp_path: copy.deepcopy(made()),
    "pickled": lambda tmp_path: pickle.loads(pickle.dumps(made())),  # noqa: S301 - our own
    "mapped": mapped,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_the_arrays_of_a_set_cannot_be_changed(way, tmp_path):
    """Found 2026-11: a set changed by hand, and one whose counts were asked for, ended in segmentation faults."""
    data = way(tmp_path)
    assert data.label_counts.tolist() == [1, 2, 1]
    for one in (data, copy.deepcopy(data)):
        for name in ("indptr", "indices", "label_counts"):
            with pytest.raises(ValueError, match="read-only"):
                getattr(one, name)[:] = 10**6
        for name in ("indptr", "indices", "shape"):
            with pytest.raises(AttributeError):
                setattr(one, name, np.zeros(3, np.int64))
        assert [one.labels_of(str(i)) for i in range(3)] == LISTS


def test_a_matrix_of_a_set_may_be_changed_and_the_set_stays():
    """A sibling: SciPy dropped pairs from the set's own array, where they were dropped from its matrix."""
    data = made()
    matrix = data.to_csr()
    matrix.data[0] = 0
    matrix.eliminate_zeros()
    assert matrix.nnz == 3
    assert data.labels_of("0") == ["x", "y"]


MODELS = {
    "labels": lambda: vse.ImageAnnotator(n_epochs=1, random_state=0),
    "labels and ids": lambda: vse.ImageAnnotator(("labels", "ids"), n_epochs=1, random_state=0),
    "ease": vse.EaseAnnotator,
}
CHANGES = {
    "far labels": lambda data: forced(data, "indices").fill(10**6),
    "near labels": lambda data: forced(data, "indices").fill(50),
    "negative labels": lambda data: forced(data, "indices").fill(-5),
    "far pairs": lambda data: forced(data, "indptr").__setitem__(1, 10**9),
    "negative pairs": lambda data: forced(data, "indptr").__setitem__(1, -(10**9)),
}


@pytest.mark.filterwarnings("ignore:no labels are suggested")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_a_set_that_was_forced_to_change_is_refused_before_compiled_code_sees_it(make, change):
    """Found 2026-11: segmentation faults, and answers from foreign memory."""
    data = AnnotationSet.from_lists([["x", "y"], ["y", "z"], ["x", "z"], ["z", "w"]])
    test = AnnotationSet.from_lists([["z"], ["x"]], ["0", "1"])
    model = make().fit(data)
    change(data)
    ways = {
        "annotate": lambda: model.annotate(["0", "1"]),
        "find_images": lambda: model.find_images("z", include_known=True),
        "evaluate": lambda: vse.evaluate(model, test, exclude=data),
        "fit": lambda: make().fit(data),
    }
    for way in ways.values():
        with pytest.raises(vse.InputError):
            way()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_nothing_is_chosen_of_a_set_that_was_forced_to_change(change):
    """Found 2026-11: a segmentation fault in a slice of one image."""
    data = made()
    change(data)
    for way in (lambda: data[0:1], lambda: data.to_csr(), lambda: data.rows_to_csr(np.array([0]))):
        with pytest.raises(vse.InputError, match=r"the ind\w+ of a data set was changed|must"):
            way()


def test_rows_of_a_matrix_are_those_of_the_whole():
    data, rows = made(), np.array([2, 1, 1, 0])
    np.testing.assert_array_equal(data.rows_to_csr(rows).toarray(), data.to_csr().toarray()[rows])
    assert data.rows_to_csr(rows[:0]).shape == (0, 3)


def test_rows_beyond_the_images_are_refused():
    model = vse.ImageAnnotator(n_epochs=1, random_state=0).fit(made())
    new = AnnotationSet.from_lists([["x"]], Vocabulary.numbered(1, "image", "new "))
    with pytest.raises(vse.InputError, match=r"rows must lie in 0\.\.0"):
        model.score_block(model.align(new), np.array([5]))


@pytest.mark.parametrize(
    ("indptr", "indices", "n_labels", "message"),
    [
        ([0, 1], [2**32 + 1], 3, r"^indices must be whole numbers of at most 31 bits, found 4294967297$"),
        ([0, 1], [-(2**40)], 3, r"^indices must be whole numbers of at most 31 bits, found -1099511627776$"),
        ([0, 1], [0.9], 3, r"^indices must be whole numbers of at most 31 bits, found 0.9$"),
        ([0, 1], [np.nan], 3, r"^indices must be whole numbers of at most 31 bits, found nan$"),
        ([0, 1], [np.inf], 3, r"^indices must be whole numbers of at most 31 bits, found inf$"),
        ([0, 1], [2.0**31], 3, r"^indices must be whole numbers of at most 31 bits, found 2147483648.0$"),
        (np.array([0, 2**64 - 1], np.uint64), [0], 3, r"^indptr must be whole numbers of at most 63 bits, found 184"),
        ([0.0, 1.5], [0], 3, r"^indptr must be whole numbers of at most 63 bits, found 1.5$"),
        ([0, 1], ["0"], 3, r"^indices must be a one-dimensional array of whole numbers, not <U1"),
        ([0, 1], [True], 3, r"^indices must be a one-dimensional array of whole numbers, not bool"),
        ([[0, 1]], [0], 3, r"^indptr must be a one-dimensional array of whole numbers, not int64 \(1, 2\)$"),
        ([0, 1], 0, 3, r"^indices must be a one-dimensional array of whole numbers, not int64 \(\)$"),
        ([0, 1], np.ma.array([0], mask=[True]), 3, r"^indices must not be a masked array"),
        ([0, 1], [0], 2.9, r"^n_labels must be a whole number of at least 0, not 2.9$"),
        ([0, 1], [0], "3", r"^n_labels must be a whole number of at least 0, not '3'$"),
        ([0, 1], [0], -1, r"^n_labels must be a whole number of at least 0, not -1$"),
    ],
)  # fmt: skip
def test_numbers_that_would_change_are_refused(indptr, indices, n_labels, message):
    """Found 2026-11: column 2**32 + 1 became column 1, 0.9 became 0, and 2.9 labels 2."""
    with pytest.raises(vse.InputError, match=message):
        AnnotationSet(indptr, indices, n_labels)


@pytest.mark.parametrize("kind", [np.uint8, np.uint64, np.int64, np.float16, np.float64, ">i4"])
def test_whole_numbers_of_any_type_are_the_same_set(kind):
    data = AnnotationSet(np.array([0, 2, 3], kind), np.array([0, 2, 1], kind), 3)
    assert data.digest() == AnnotationSet(np.array([0, 2, 3]), np.array([0, 2, 1]), 3).digest()
    assert (data.indptr.dtype, data.indices.dtype) == (np.int64, np.int32)


@pytest.mark.parametrize(
    "keep",
    [[True] * 3, [1, 0, 1, 0], [[True] * 4], np.ma.array([True] * 4, mask=[False, True, False, False]), True, None],
)
def test_pairs_are_kept_by_a_mask_of_all_of_them(keep):
    """Found 2026-11: numbers were taken as counts, and a mask of another length was an IndexError."""
    with pytest.raises(vse.InputError, match=r"^keep (must be a mask of 4 pairs|must not be a masked array)"):
        made().with_pairs(keep)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([0, 1, 3], r"^columns must lie in 0..2, .*found 0..3$"),
        ([0, -1, 2], r"^columns must lie in 0..2, .*found -1..2$"),
        ([0, 1], r"^columns must be one per label \(3\), not 2$"),
        ([0, 1.5, 2], r"^columns must be whole numbers of at most 63 bits, found 1.5$"),
    ],
)
def test_labels_are_moved_to_columns_that_there_are(columns, message):
    """Found 2026-11: a label that was moved to column -1 became the last label of the image before."""
    with pytest.raises(vse.InputError, match=message):
        made().with_columns(columns, Vocabulary(["a", "b", "c"], "label"))


@pytest.mark.parametrize(
    "rows",
    [[3], [-4], [True, False], [0.5], np.array(["0"]), [[0, 1]], 0, "0", None, np.ma.array([0, 1], mask=[False, True])],
)
def test_images_are_chosen_by_rows_or_a_mask_of_them(rows):
    """Found 2026-11: IndexError; and of a masked array all rows were chosen."""
    with pytest.raises(vse.InputError, match="^rows "):
        made().select_images(rows)


@pytest.mark.parametrize("rows", [[2, 0], np.array([True, False, True]), [-1, 0], slice(None, None, 2), []])
def test_images_that_are_chosen_come_in_order(rows):
    data = made()
    chosen = data[rows]
    wanted = [str(i) for i in np.arange(3)[rows]]
    assert list(chosen.image_ids) == wanted
    assert [chosen.labels_of(image) for image in wanted] == [data.labels_of(image) for image in wanted]


@pytest.mark.parametrize(
    "way",
    [
        lambda masked: AnnotationSet.from_csr(masked),
        lambda masked: vse.EaseAnnotator().fit(masked),
        lambda masked: AnnotationSet.from_csr(np.eye(2), features=masked),
        lambda masked: vse.evaluate(vse.PopularityAnnotator().fit(np.eye(2)), masked, exclude=None),
    ],
)
def test_a_mask_is_not_lost(way):
    """Found 2026-11: what was masked was taken for what is there."""
    with pytest.raises(vse.InputError, match=r"must not be a masked array; use \w+\.filled"):
        way(np.ma.array([[1, 1], [0, 1]], mask=[[True, False], [False, False]]))


def test_sparse_matrices_and_arrays_are_unchanged_by_what_is_made_of_them():
    matrix = sp.csr_array(np.eye(3))
    AnnotationSet.from_csr(matrix)
    matrix.indices[0] = 2
    assert matrix.indices.tolist() == [2, 1, 2]
