"""Verified absences: the third state of a pair, through all that is made of a set."""

from __future__ import annotations

import pickle

import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis.extra import numpy as hnp
from strategies import annotation_sets, seeds

import vsenumba as vse
from vsenumba.data import AnnotationSet, Vocabulary, prune
from vsenumba.data.annotation.absences import Absences

LISTS = [["x", "y"], ["y", "z"], []]
ABSENT = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 1]])


def made():
    return AnnotationSet.from_lists(LISTS).with_absent(ABSENT)


def named(data):
    """Return the absences as pairs of names."""
    if data.absent is None:
        return set()
    rows, columns = data.absent.pairs()
    return {(data.image_ids[int(i)], data.label_names[int(j)]) for i, j in zip(rows, columns, strict=True)}


ALL = {("0", "z"), ("1", "x"), ("2", "y"), ("2", "z")}


@st.composite
def sets_with_absences(draw, **sizes):
    data = draw(annotation_sets(**sizes))
    absent = draw(hnp.arrays(bool, data.shape)) & ~data.to_csr().toarray().astype(bool)
    return data.with_absent(absent), absent


@pytest.mark.parametrize(
    "absent",
    [
        ABSENT,
        sp.csr_array(ABSENT),
        Absences([0, 1, 2, 4], [2, 0, 1, 2], 3),
        AnnotationSet.from_csr(ABSENT, None, ["x", "y", "z"]),
    ],
    ids=["matrix", "sparse", "structure", "set"],
)
def test_they_are_given_in_any_form(absent):
    data = AnnotationSet(np.array([0, 2, 4, 4]), np.array([0, 1, 1, 2]), 3, None, ["x", "y", "z"], absent=absent)
    assert named(data) == ALL
    assert repr(data) == "<AnnotationSet: 3 images, 3 labels, 4 pairs, 4 verified absences>"
    assert [data.absent.columns_of(row).tolist() for row in range(3)] == [[2], [0], [1, 2]]


def test_a_set_without_any_is_as_ever():
    data = AnnotationSet.from_lists(LISTS)
    for same in (data.with_absent(np.zeros((3, 3))), made().with_absent(None)):
        assert same.absent is None
        assert same.digest() == data.digest()
        assert same.to_elements().keys() == data.to_elements().keys()
    assert made().digest() != data.digest()


@pytest.mark.parametrize(
    ("absent", "message"),
    [
        (np.eye(3), r"^image '0' has the label 'x', which is also among its verified absences \(2 such pair"),
        (np.eye(2), r"^absent has the shape \(2, 2\), but the data set has \(3, 3\)$"),
        (Absences([0, 0, 0, 0], [], 4), r"^absent has the shape \(3, 4\), but the data set has \(3, 3\)$"),
        (AnnotationSet.from_csr(ABSENT), r"^absent has different images or labels"),
        (np.full((3, 3), np.nan), r"NaN"),
        (np.ma.array(ABSENT, mask=ABSENT > 0), r"masked array"),
    ],
)
def test_what_does_not_fit_is_refused(absent, message):
    with pytest.raises(vse.InputError, match=message):
        AnnotationSet.from_lists(LISTS).with_absent(absent)


@pytest.mark.parametrize(
    ("indptr", "indices", "message"),
    [
        ([0, 1], [3], r"label columns must lie in 0\.\.2"),
        ([0, 2], [1, 1], r"not strictly increasing"),
        ([0, 2], [1], r"indptr must rise"),
        ([0, 1], [0.5], r"the indices of absences must be whole numbers"),
    ],
)
def test_what_is_no_structure_is_refused(indptr, indices, message):
    with pytest.raises(vse.InputError, match=message):
        Absences(indptr, indices, 3)


def test_their_arrays_cannot_be_changed():
    for data in (made(), pickle.loads(pickle.dumps(made()))):  # noqa: S301 - our own
        for array in (data.absent.indptr, data.absent.indices):
            with pytest.raises(ValueError, match="read-only"):
                array[:] = 7


def test_they_stay_through_all_that_is_made_of_a_set(tmp_path):
    data = made()
    data.save(tmp_path / "set.h5")
    same = {
        "saved": vse.load_dataset(tmp_path / "set.h5"),
        "pairs": data.with_pairs(np.zeros(4, bool)),
        "features": data.with_features(np.ones((3, 1))),
        "sliced": data[:],
        "moved": data.with_columns([2, 0, 1], Vocabulary(["y", "z", "x"], "label")),
        "reindexed": data.reindex_images(Vocabulary(["2", "new", "0", "1"], "image")),
        "own ids": data.reindex_images(Vocabulary(["0", "1", "2"], "image")),
        "union": data.union(AnnotationSet.from_lists([["q"]], ["other"])),
        "union of the other": AnnotationSet.from_lists([["q"]], ["other"]).union(data),
    }
    same |= dict(zip(("train", "test"), vse.leave_one_out(data, rng=0), strict=True))
    same |= dict(zip(("most", "rest"), vse.holdout(data, 0.5, rng=0), strict=True))
    for way, one in same.items():
        assert named(one) == ALL, way
    assert same["saved"].digest() == data.digest()
    assert named(data[[2, 0]]) == {("2", "y"), ("2", "z"), ("0", "z")}


def test_those_of_labels_that_are_left_out_go():
    data = AnnotationSet.from_lists([["x", "y"], ["x", "y"], ["x", "z"]]).with_absent(
        1 - np.array([[1, 1, 0], [1, 1, 0], [1, 0, 1]])
    )
    assert named(prune(data, 2, 2)) == set()
    assert named(prune(data, 2, 1)) == {("2", "y")}
    moved = data.with_pairs(data.indices < 2).with_columns([0, 1, -1], Vocabulary(["x", "y"], "label"))
    assert named(moved) == {("2", "y")}


def test_a_pair_of_either_set_is_no_absence_of_their_union():
    other = AnnotationSet.from_lists([["z", "q"], ["z"]], ["0", "3"])
    other = other.with_absent(np.array([[0, 0], [0, 1]]))
    assert named(made().union(other)) == ALL - {("0", "z")} | {("3", "q")}
    assert named(other.union(made())) == ALL - {("0", "z")} | {("3", "q")}


@given(sets_with_absences(min_images=1), sets_with_absences(min_images=1), seeds)
def test_the_union_is_that_of_sets_of_pairs(first, second, seed):
    (one, _), (other, _) = first, second
    both = one.union(other)
    rows, columns = both.pairs()
    pairs = {(both.image_ids[int(i)], both.label_names[int(j)]) for i, j in zip(rows, columns, strict=True)}
    assert named(both) == (named(one) | named(other)) - pairs


@given(sets_with_absences(min_images=1), seeds)
def test_images_are_chosen_with_their_absences(drawn, seed):
    data, absent = drawn
    rows = np.random.default_rng(seed).permutation(data.n_images)[: 1 + seed % data.n_images]
    chosen = data[rows]
    found = np.zeros(chosen.shape, bool)
    if chosen.absent is not None:
        found[chosen.absent.pairs()] = True
    np.testing.assert_array_equal(found, absent[rows])


def test_a_file_in_which_an_absence_is_a_pair_is_refused(tmp_path):
    elements = made().to_elements()
    elements["absent"] = {"indptr": np.array([0, 1, 1, 1]), "indices": np.array([0], np.int32)}
    vse.storage.write_file(tmp_path / "set.h5", "annotation-set", elements)
    with pytest.raises(vse.FileFormatError, match=r"set\.h5: image '0' has the label 'x', which is also among"):
        vse.load_dataset(tmp_path / "set.h5")


# Rankings.


class Rising:
    """Scores the later labels higher."""

    label_names = Vocabulary(["x", "y", "z"], "label")

    def align(self, data):
        return data

    def known_for(self, test, exclude):
        return test.with_pairs(np.zeros(test.n_pairs, bool)) if exclude is None else exclude

    def score_block(self, known, rows):
        return np.tile(np.arange(3, dtype=np.float32), (len(rows), 1))


@pytest.mark.parametrize("where", ["test", "exclude", "both"])
def test_a_ranking_leaves_them_out(where):
    test = AnnotationSet.from_csr(np.array([[1, 0, 0], [0, 1, 0]]), None, ["x", "y", "z"])
    known = AnnotationSet.from_csr(np.zeros((2, 3)), None, ["x", "y", "z"])
    absent = np.array([[0, 0, 1], [0, 0, 0]])
    assert vse.evaluate(Rising(), test, exclude=known, metrics=["mrr"]).per_image["mrr"].tolist() == [1 / 3, 1 / 2]
    test = test.with_absent(absent) if where != "exclude" else test
    known = known.with_absent(absent) if where != "test" else known
    scores = vse.evaluate(Rising(), test, exclude=known, metrics=["mrr", "auc", "coverage@1"])
    assert scores.per_image["mrr"].tolist() == [1 / 2, 1 / 2]
    assert scores.per_image["auc"].tolist() == [0, 0.5]
    assert scores.mean["coverage@1"] == pytest.approx(2 / 3)
    if where == "test":
        scores = vse.evaluate(Rising(), test, exclude=None, metrics=["mrr"])
        assert scores.per_image["mrr"].tolist() == [1 / 2, 1 / 2]


def test_a_test_label_that_was_an_absence_is_ranked():
    test = AnnotationSet.from_csr(np.array([[1, 0, 0]]), None, ["x", "y", "z"])
    known = AnnotationSet.from_csr(np.zeros((1, 3)), None, ["x", "y", "z"]).with_absent(np.array([[1, 1, 0]]))
    assert vse.evaluate(Rising(), test, exclude=known, metrics=["mrr"]).per_image["mrr"].tolist() == [1 / 2]


def test_nobody_is_suggested_what_was_looked_for_and_not_found(tmp_path):
    data = AnnotationSet.from_lists([["x", "y"], ["y", "z"], ["x", "z"], ["x", "y", "z", "w"]])
    data = data.with_absent(np.array([[0, 0, 1, 0], [1, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]))
    model = vse.ImageAnnotator(n_factors=4, n_epochs=2, random_state=0).fit(data)
    model.save(tmp_path / "model.h5")
    for one in (model, vse.load_model(tmp_path / "model.h5"), vse.PopularityAnnotator().fit(data)):
        assert [[match.name for match in row] for row in one.annotate(["0", "1"])] == [["w"], []]
        assert {match.name for match in one.annotate(data)[2]} == {"y", "w"}
        assert {match.name for match in one.find_images("z")} == set()
        assert "0" not in {match.name for match in one.find_images("z", include_known=True)}
        assert one.seen_.digest() == data.digest()


def test_training_is_resumed_with_the_same_absences(tmp_path):
    data = made()
    model = vse.ImageAnnotator(n_factors=4, n_epochs=1, random_state=0).fit(data)
    model.save(tmp_path / "model.h5", include_optimiser=True)
    again = vse.load_model(tmp_path / "model.h5").set_params(n_epochs=2)
    with pytest.raises(vse.InputError, match="resume needs the data that training began with"):
        again.resume(data.with_absent(None))
    assert len(again.resume(data).history_) == 2
