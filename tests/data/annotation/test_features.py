"""Features of sets: every way to keep them gives the same rows; what is refused; what sets do with them."""

from __future__ import annotations

import mmap

import h5py
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

import vsenumba as vse
from vsenumba.data.annotation.features import feature_rows, is_on_disk
from vsenumba.data.annotation.readers import native
from vsenumba.data.annotation.stacked_features import StackedFeatures
from vsenumba.data.backbone_id import BackboneId, as_backbone_id, check_same_backbone
from vsenumba.errors import InputError

KINDS = ("float32", "float16", "uint8", "float64", "memmap", "hdf5", "hdf5 in chunks", "stacked", "csr")
ON_DISK = ("memmap", "hdf5", "hdf5 in chunks", "stacked")


def kept_as(kind, numbers, folder):
    """Return whole numbers in 0..255 as features of a kind."""
    if kind == "csr":
        return sp.csr_array(numbers.astype(np.float32))
    if kind == "memmap":
        np.save(folder / "features.npy", numbers.astype(np.float16))
        return np.load(folder / "features.npy", mmap_mode="r")
    if kind == "stacked":
        cuts = np.split(numbers.astype(np.float16), [1, 1, len(numbers) // 2])
        for i, some in enumerate(cuts):
            np.save(folder / f"{i}.npy", some)
        return StackedFeatures([np.load(folder / f"{i}.npy", mmap_mode="r") for i in (0, 2, 3)])
    if kind.startswith("hdf5"):
        file = h5py.File(folder / "features.h5", "w")
        chunks = (2, numbers.shape[1]) if "chunks" in kind else None
        return file.create_dataset("x", data=numbers.astype(np.float32), chunks=chunks)
    return numbers.astype(kind)


def images(n, features=None, **more):
    names = [f"p{i}" for i in range(n)]
    return vse.AnnotationSet.from_lists([[f"l{i % 3}", f"l{i % 2}"] for i in range(n)], names).with_features(
        features, **more
    )


def dense(features):
    return (features.toarray() if sp.issparse(features) else np.asarray(features[:])).astype(np.float64)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_the_rows_that_are_asked_for(kind, tmp_path):
    rng = np.random.default_rng(0)
    numbers = rng.integers(0, 256, (300, 4))
    data = images(300, kept_as(kind, numbers, tmp_path))
    assert data.n_features == 4
    assert is_on_disk(data.features) == (kind in ON_DISK)
    rows = rng.permutation(300)[:40]
    np.testing.assert_array_equal(dense(feature_rows(data.features, rows)), numbers[rows])
    np.testing.assert_array_equal(dense(data.select_images(rows).features), numbers[rows])
    np.testing.assert_array_equal(dense(feature_rows(data.features, rows[:0])), numbers[:0])
    again = data.reindex_images(data.image_ids)
    assert again.features is data.features


@pytest.mark.parametrize("kind", KINDS)
def test_files_give_features_back(kind, tmp_path):
    """Those of an HDF5 dataset could not be saved."""
    numbers = np.random.default_rng(0).integers(0, 256, (20, 4))
    data = images(20, kept_as(kind, numbers, tmp_path), backbone=BackboneId("net", "abc"))
    data.save(tmp_path / "set.h5")
    again = vse.load_dataset(tmp_path / "set.h5")
    assert again.backbone == ("net", "abc")
    np.testing.assert_array_equal(dense(again.features), numbers)
    assert again.features.dtype == data.features.dtype


def memory_of(array):
    """Return what an array is a view of."""
    return array if getattr(array, "base", None) is None else memory_of(array.base)


def test_large_files_leave_pairs_and_features_on_disk(tmp_path, monkeypatch):
    numbers = np.random.default_rng(0).integers(0, 256, (20, 4))
    data = images(20, numbers.astype(np.uint8))
    data.save(tmp_path / "set.h5")
    assert not isinstance(memory_of(vse.load_dataset(tmp_path / "set.h5").indices), mmap.mmap)
    monkeypatch.setattr(native, "MAPPED_BYTES", 0)
    again = vse.load_dataset(tmp_path / "set.h5")
    assert is_on_disk(again.features)
    np.testing.assert_array_equal(again.features, numbers)
    assert isinstance(memory_of(again.indices), mmap.mmap)
    np.testing.assert_array_equal(again.indices, data.indices)
    parameters = {"n_factors": 2, "n_epochs": 1, "max_neighbours": 0, "n_threads": 1, "random_state": 0}
    trained = [vse.ImageAnnotator("ids", **parameters).fit(one).label_factors_ for one in (data, again)]
    np.testing.assert_array_equal(trained[0], trained[1])


@given(cuts=st.lists(st.integers(0, 30), max_size=4), first=st.integers(-35, 35), stop=st.integers(-35, 35))
def test_stacked_features_are_those_of_one_array(cuts, first, stop):
    numbers = np.arange(60).reshape(30, 2)
    stacked = StackedFeatures(np.split(numbers, sorted(cuts)))
    assert (stacked.shape, stacked.dtype) == (numbers.shape, numbers.dtype)
    np.testing.assert_array_equal(stacked[first:stop], numbers[first:stop])
    with pytest.raises(IndexError, match="one after the other"):
        stacked[first:stop:2]


@given(rows=st.lists(st.integers(0, 199), max_size=30), gap=st.integers(1, 100))
def test_rows_from_disk_are_those_in_memory(tmp_path_factory, rows, gap):
    path = tmp_path_factory.mktemp("features") / "x.npy"
    numbers = np.arange(400, dtype=np.float32).reshape(200, 2)
    np.save(path, numbers)
    rows = np.array(rows, dtype=np.int64)
    np.testing.assert_array_equal(feature_rows(np.load(path, mmap_mode="r"), rows), numbers[rows])


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.ones((3, 2)), "one row per image"),
        (np.ones(4), "one row per image"),
        (np.ones((4, 0)), "at least one column"),
        (np.array([["a"]] * 4), "must be numbers"),
        ([[1.0], [2.0], [np.nan], [4.0]], "image 2 hold NaN"),
        ([[1.0], [2.0], [3.0], [1e300]], "image 3 hold NaN or inf"),
        (sp.csr_array(np.array([[0.0], [np.inf], [0.0], [1.0]])), "image 1 hold NaN"),
    ],
)
def test_features_that_are_none_are_refused(features, message):
    with pytest.raises(InputError, match=message):
        images(4, features)


def test_numbers_on_disk_that_are_not_finite_are_refused(tmp_path):
    numbers = np.ones((4, 2), np.float32)
    numbers[2, 1] = np.nan
    np.save(tmp_path / "x.npy", numbers)
    with pytest.raises(InputError, match="image 2 hold NaN"):
        images(4, np.load(tmp_path / "x.npy", mmap_mode="r"))
    np.save(tmp_path / "y.npy", np.ones((4, 2)))
    with pytest.raises(InputError, match="on disk must be uint8, float16 or float32"):
        images(4, np.load(tmp_path / "y.npy", mmap_mode="r"))


def test_sets_that_are_joined_keep_features_of_one_backbone():
    one = images(4, np.arange(8).reshape(4, 2), backbone="net")
    other = vse.AnnotationSet.from_lists([["l0"], ["new"]], ["p1", "q"]).with_features([[9, 9], [7, 8]], "net")
    both = one.union(other)
    # What an image has in the first set stays.
    np.testing.assert_array_equal(both.features, [[0, 1], [2, 3], [4, 5], [6, 7], [7, 8]])
    assert both.backbone == ("net", "")
    assert one.union(other.with_features([[9, 9], [7, 8]], "another")).features is None
    assert one.union(other.with_features([[9], [7]], "net")).features is None
    assert one.union(other.with_features(None)).features is None
    sparse = one.with_features(sp.csr_array(one.features), "net").union(other)
    np.testing.assert_array_equal(sparse.features.toarray(), both.features)


def test_images_that_are_not_all_there_have_no_features():
    data = images(4, np.arange(8).reshape(4, 2))
    assert data.reindex_images(vse.Vocabulary(["p3", "p0"], "image")).features.tolist() == [[6, 7], [0, 1]]
    assert data.reindex_images(vse.Vocabulary(["p3", "x"], "image")).features is None


@pytest.mark.parametrize(
    ("found", "expected", "message"),
    [
        (("a", ""), ("a", "1"), None),
        (("a", "1"), ("b", "1"), None),
        (None, ("b", "1"), None),
        (("a", "1"), ("a", "2"), "another version of 'a'"),
        (("a", "1"), ("b", "2"), "with the backbone 'a'"),
        (("a", ""), ("b", ""), "with the backbone 'a'"),
    ],
)
def test_backbones_are_compared_by_digest_and_by_name(found, expected, message):
    found, expected = (None if one is None else BackboneId(*one) for one in (found, expected))
    if message is None:
        check_same_backbone(found, expected)
        return
    with pytest.raises(InputError, match=message):
        check_same_backbone(found, expected)


def test_a_backbone_is_a_name_or_a_pair():
    assert as_backbone_id(("net", "1")) == BackboneId("net", "1")
    for wrong in (3, ("a",), ("a", 1), ""):
        with pytest.raises(InputError, match="backbone"):
            as_backbone_id(wrong)
