"""What an annotation set keeps and what it refuses."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from strategies import annotation_sets, incidence, names

from vsenumba.data import AnnotationSet, Vocabulary, as_annotation_set, load_dataset, synthetic
from vsenumba.errors import InputError, UnknownNameError

FORMATS = ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"]


def dense(data: AnnotationSet) -> np.ndarray:
    return data.to_csr().toarray() > 0


class TestFromPairs:
    @given(st.lists(st.tuples(names, names), max_size=20))
    def test_holds_the_distinct_pairs_in_order_of_first_appearance(self, pairs):
        data = AnnotationSet.from_pairs([image for image, _ in pairs], [label for _, label in pairs])
        assert list(data.image_ids) == list(dict.fromkeys(image for image, _ in pairs))
        assert list(data.label_names) == list(dict.fromkeys(label for _, label in pairs))
        rows, columns = data.pairs()
        found = [(data.image_ids[i], data.label_names[j]) for i, j in zip(rows, columns, strict=True)]
        assert sorted(found) == sorted(set(pairs))

    def test_numbers_are_taken_as_text(self):
        data = AnnotationSet.from_pairs([7, 8], np.array([1, 1]))
        assert (list(data.image_ids), list(data.label_names)) == (["7", "8"], ["1"])

    @pytest.mark.parametrize(
        ("images", "labels", "message"),
        [
            (["a"], ["x", "y"], "the same length, not 1 and 2"),
            (["a", ""], ["x", "y"], "image name 1 is empty"),
            (["a", "b"], ["x", "  "], "label name 1 is empty"),
            (["a", "b"], ["x", None], "label name 1 is empty"),
            (["a", "b"], ["x", float("nan")], "label name 1 is empty"),
            ("ab", ["x", "y"], "not one string 'ab'"),
            (["a"], ["x\0y"], "label name 0 holds a NUL"),
            (["a"], ["\ud800"], "is not valid Unicode"),
        ],
    )
    def test_refusals(self, images, labels, message):
        with pytest.raises(InputError, match=message):
            AnnotationSet.from_pairs(images, labels)


class TestFromCsr:
    @given(incidence(), st.sampled_from(FORMATS), st.sampled_from([sp.coo_array, sp.coo_matrix]))
    def test_every_format_gives_the_same_set(self, matrix, name, container):
        wanted = AnnotationSet.from_csr(matrix)
        np.testing.assert_array_equal(dense(wanted), matrix)
        assert wanted.indptr.dtype == np.int64
        assert wanted.indices.dtype == np.int32
        if name != "bsr" or matrix.size:  # SciPy has no empty BSR
            assert AnnotationSet.from_csr(container(matrix).asformat(name)).digest() == wanted.digest()

    def test_duplicates_and_explicit_zeros(self):
        # Added up in 8 bits, the two 128 would be 0.
        values = np.array([128, 128, 0, 3], dtype=np.uint8)
        coo = sp.coo_array((values, ([0, 0, 1, 1], [1, 1, 0, 2])), shape=(2, 3))
        for matrix in (coo, sp.csr_array((values, [1, 1, 0, 2], [0, 2, 4]), shape=(2, 3))):
            np.testing.assert_array_equal(dense(AnnotationSet.from_csr(matrix)), [[0, 1, 0], [0, 0, 1]])

    @pytest.mark.parametrize("make", [np.asarray, sp.csr_array, sp.coo_matrix, sp.lil_array])
    @pytest.mark.parametrize(
        ("bad", "message"),
        [
            (np.nan, "1 NaN value"),
            (np.inf, "1 inf value"),
            (0.5, "1 fractional value"),
            (-1.0, "1 negative value"),
        ],
    )
    def test_odd_values(self, make, bad, message):
        with pytest.raises(InputError, match=message):
            AnnotationSet.from_csr(make(np.array([[1.0, bad], [0.0, 2.0]])))

    @pytest.mark.parametrize("bad", [np.ones(3), np.ones((2, 2), complex), [["a", "b"]], [[1, 2], [3]], 5])
    def test_no_matrix_of_numbers(self, bad):
        with pytest.raises(InputError, match=r"X (must be a numeric matrix|is neither|has neither|holds)"):
            AnnotationSet.from_csr(bad)

    def test_broken_offsets_never_reach_compiled_code(self):
        matrix = sp.csr_array(np.eye(3))
        matrix.indptr[1] = 2**30
        with pytest.raises(InputError, match="not a valid sparse matrix"):
            AnnotationSet.from_csr(matrix)

    def test_the_transpose_is_suspected(self):
        with pytest.raises(InputError, match="did you pass the transpose"):
            AnnotationSet.from_csr(np.ones((2, 3)), image_ids=["a", "b", "c"])


class TestStructure:
    @pytest.mark.parametrize(
        ("indptr", "indices", "message"),
        [
            ([0, 2, 1], [0], "indptr must rise"),
            ([0, 1], [0, 1], "indptr must rise"),
            ([0, 1], [5], r"must lie in 0\.\.2, found 5\.\.5"),
            ([0, 0, 2], [1, 1], "label columns of image 1 are not strictly increasing"),
            ([0, 2, 3], [1, 0, 2], "label columns of image 0 are not strictly increasing"),
        ],
    )
    def test_refusals(self, indptr, indices, message):
        with pytest.raises(InputError, match=message):
            AnnotationSet(np.array(indptr), np.array(indices), 3)

    def test_too_many_labels(self):
        with pytest.raises(InputError, match="too many"):
            AnnotationSet(np.array([0]), np.array([]), 2**31)

    @pytest.mark.parametrize(
        ("features", "message"),
        [
            (np.ones((3, 2)), "one row per image"),
            (np.array([[1.0], [np.nan]]), "features of image 1 hold NaN or inf"),
            (np.array([[1e300], [1.0]]), "features of image 0 hold NaN or inf"),
            (np.array([["a"], ["b"]]), "features must be numbers"),
        ],
    )
    def test_features(self, features, message):
        with pytest.raises(InputError, match=message):
            AnnotationSet.from_csr(np.eye(2), features=features)

    def test_bytes_stay_bytes(self):
        assert AnnotationSet.from_csr(np.eye(2), features=np.ones((2, 2), np.uint8)).features.dtype == np.uint8

    def test_titles(self):
        with pytest.raises(InputError, match="titles must be one per image"):
            AnnotationSet(np.array([0, 1]), np.array([0]), 1, titles=["a", "b"])


class TestParts:
    @given(annotation_sets(extras=True), st.data())
    def test_counts_lists_and_selections(self, data, draw):
        matrix = dense(data)
        assert data.shape == matrix.shape
        np.testing.assert_array_equal(data.label_counts, matrix.sum(axis=0))
        np.testing.assert_array_equal(data.labels_per_image, matrix.sum(axis=1))
        for i, image in enumerate(data.image_ids):
            assert data.labels_of(image) == [data.label_names[j] for j in np.flatnonzero(matrix[i])]

        keep = draw.draw(st.lists(st.booleans(), min_size=data.n_pairs, max_size=data.n_pairs))
        kept = data.with_pairs(np.array(keep, dtype=bool))
        wanted = np.zeros_like(matrix)
        wanted[tuple(part[keep] for part in map(np.asarray, data.pairs()))] = True
        np.testing.assert_array_equal(dense(kept), wanted)

        rows = draw.draw(st.permutations(range(data.n_images)))[: data.n_images // 2]
        part = data.select_images(rows)
        np.testing.assert_array_equal(dense(part), matrix[rows])
        assert list(part.image_ids) == [data.image_ids[i] for i in rows]
        if data.features is not None:
            np.testing.assert_array_equal(part.features, data.features[rows])

    @given(annotation_sets())
    def test_lists_give_the_set_back(self, data):
        lists = [data.labels_of(image) for image in data.image_ids]
        again = AnnotationSet.from_lists(lists, data.image_ids)
        assert [sorted(again.labels_of(image)) for image in again.image_ids] == [sorted(one) for one in lists]

    def test_a_list_of_names_is_not_a_name(self):
        with pytest.raises(InputError, match="image 1 has 'cat'"):
            AnnotationSet.from_lists([["cat"], "cat"])

    def test_the_digest_tells_sets_apart(self):
        one = AnnotationSet.from_csr(np.eye(1), ["ab"], ["c"])
        assert one.digest() == AnnotationSet.from_csr(np.eye(1), ["ab"], ["c"]).digest()
        assert one.digest() != AnnotationSet.from_csr(np.eye(1), ["a"], ["bc"]).digest()


class TestUnion:
    @given(annotation_sets(), annotation_sets(), st.integers(1, 6))
    def test_has_the_pairs_of_both(self, one, other, block):
        def named(data):
            rows, columns = data.pairs()
            return {(data.image_ids[i], data.label_names[j]) for i, j in zip(rows, columns, strict=True)}

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("vsenumba.data.annotation.pairs.BLOCK", block)
            union = one.union(other)
            assert named(union) == named(one) | named(other)
            np.testing.assert_array_equal(union.label_counts, dense(union).sum(axis=0))
        for mine, theirs, both in (
            (one.image_ids, other.image_ids, union.image_ids),
            (one.label_names, other.label_names, union.label_names),
        ):
            assert list(both) == list(dict.fromkeys([*mine, *theirs]))

    def test_of_a_set_with_itself_keeps_the_vocabularies(self):
        data = AnnotationSet.from_csr(np.eye(3))
        union = data.union(data)
        assert union.digest() == data.digest()
        assert union.image_ids is data.image_ids


@pytest.mark.parametrize("block", [1, 2, 3, 100])
def test_falling_columns_are_found_across_blocks(monkeypatch, block):
    monkeypatch.setattr("vsenumba.data.annotation.pairs.BLOCK", block)
    indptr = np.array([0, 0, 2, 2, 4, 5, 5])
    AnnotationSet(indptr, np.array([0, 2, 1, 2, 0]), 3)
    for bad, row in (([2, 0, 1, 2, 0], 1), ([0, 2, 1, 1, 0], 3)):
        with pytest.raises(InputError, match=f"image {row} are not strictly increasing"):
            AnnotationSet(indptr, np.array(bad), 3)


class TestVocabulary:
    def test_unknown_names_are_answered_with_near_ones(self):
        with pytest.raises(UnknownNameError, match="unknown label 'caat'; did you mean 'cat'"):
            Vocabulary(["cat", "dog"], "label").index(["dog", "caat"])

    def test_doubles_are_refused(self):
        with pytest.raises(InputError, match="image 'a' appears twice"):
            Vocabulary(["a", "b", "a"], "image")

    def test_equal_hashes_are_not_doubles(self, monkeypatch):
        monkeypatch.setattr("vsenumba.data.vocabulary.hash", lambda name: 7, raising=False)
        assert list(Vocabulary(["a", "b"], "image")) == ["a", "b"]
        with pytest.raises(InputError, match="image 'b' appears twice"):
            Vocabulary(["a", "b", "c", "b"], "image")

    @given(st.integers(0, 25), st.sampled_from(["", "image-", "1", "é "]), st.lists(names, max_size=5))
    def test_numbered_names_are_those_names(self, n, prefix, others):
        numbered = Vocabulary.numbered(n, "image", prefix)
        kept = Vocabulary([f"{prefix}{i}" for i in range(n)], "image")
        assert list(numbered) == list(kept) == list(numbered.names)
        assert [numbered[i] for i in range(-n, n)] == [kept[i] for i in range(-n, n)]
        assert numbered == kept
        assert kept == numbered
        assert repr(numbered) == repr(kept)
        asked = [*others, *kept, f"{prefix}007", f"{prefix}{n}", f"{prefix}٧", f"{prefix}-1", f"{prefix}²", prefix]
        asked += [f"{prefix}{'9' * 5000}", f"{prefix} 1", f"{prefix}1_0"]
        np.testing.assert_array_equal(numbered.find(asked), kept.find(asked))
        assert [name in numbered for name in asked] == [name in kept for name in asked]
        for more in (n, n + 3):
            longer = Vocabulary.numbered(more, "image", prefix)
            np.testing.assert_array_equal(numbered.find(longer), kept.find(longer))
            assert (numbered == longer) == (more == n)
        rows = np.arange(n)[::-2]
        np.testing.assert_array_equal(numbered.take(rows), kept.take(rows))
        assert Vocabulary.from_element(numbered.to_element().value, "image") == numbered

    def test_unknown_numbered_names_are_refused(self):
        with pytest.raises(UnknownNameError, match="unknown image 'image-4'; did you mean 'image-3'"):
            Vocabulary.numbered(4, "image", "image-").index(["image-0", "image-4"])

    @pytest.mark.parametrize(
        "element",
        [{}, {"prefix": "a"}, {"count": 1}, {"prefix": 1, "count": 1}, {"prefix": "a", "count": -1},
         {"prefix": "a", "count": True}, {"prefix": "a", "count": 1.0}, {"prefix": "\0", "count": 1}],
    )  # fmt: skip
    def test_odd_numbered_names_are_refused(self, element):
        with pytest.raises(InputError, match="image names"):
            Vocabulary.from_element(element, "image")

    def test_lookup(self):
        vocabulary = Vocabulary(["cat", "dog"], "label")
        assert vocabulary.find(["dog", "cow"]).tolist() == [1, -1]
        assert "dog" in vocabulary
        assert repr(vocabulary) == "<2 label names: 'cat', 'dog'>"
        assert vocabulary == Vocabulary(["cat", "dog"], "word")
        assert Vocabulary.numbered(2, "image").names.tolist() == ["0", "1"]


class TestAsAnnotationSet:
    def test_sets_matrices_and_lists(self):
        data = AnnotationSet.from_csr(np.eye(2))
        assert as_annotation_set(data) is data
        assert as_annotation_set(sp.eye_array(2)).digest() == data.digest()
        assert as_annotation_set(np.array([[1, 0], [0, 1]])).digest() == data.digest()
        assert as_annotation_set([["cat"], {"b", "a"}]).labels_of("1") == ["a", "b"]

    @pytest.mark.parametrize(
        ("bad", "what"), [(None, "must be an AnnotationSet"), ("cat", "is 'cat', which was read as a data")]
    )
    def test_refusals(self, bad, what):
        with pytest.raises(InputError, match=f"train {what}"):
            as_annotation_set(bad, "train")


@given(data=annotation_sets(extras=True))
def test_a_file_gives_the_set_back(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("set") / "a.h5"
    data.save(path)
    again = load_dataset(path)
    assert again.digest() == data.digest()
    assert again.shape == data.shape
    for one, other in ((again.features, data.features), (again.titles, data.titles)):
        assert (one is None and other is None) or (one.dtype == other.dtype and np.array_equal(one, other))


def test_a_file_of_numbered_names_does_not_hold_them(tmp_path):
    data = AnnotationSet.from_csr(np.eye(500))
    data.save(tmp_path / "a.h5")
    AnnotationSet(data.indptr, data.indices, 500, list(data.image_ids), data.label_names).save(tmp_path / "b.h5")
    one, other = (load_dataset(tmp_path / name) for name in ("a.h5", "b.h5"))
    assert one.digest() == other.digest()
    assert (tmp_path / "a.h5").stat().st_size + 5000 < (tmp_path / "b.h5").stat().st_size


@pytest.mark.parametrize(("listed", "per_image"), [(False, 0), (True, 60)])
def test_loading_takes_little_more_memory_than_the_pairs(tmp_path, monkeypatch, listed, per_image):
    monkeypatch.setattr("vsenumba.data.annotation.pairs.BLOCK", 1 << 12)
    for module in ("storage.encodings._TEXTS", "data.vocabulary.BLOCK"):
        monkeypatch.setattr(f"vsenumba.{module}", 1 << 10)
    n_images = 30_000
    data = synthetic(n_images, 100, 200_000, rng=0)
    image_ids = [f"photo-{i}.jpg" for i in range(n_images)] if listed else None
    AnnotationSet(data.indptr, data.indices, 100, image_ids, data.label_names).save(tmp_path / "a.h5")
    load_dataset(tmp_path / "a.h5")
    tracemalloc.start()
    try:
        loaded = load_dataset(tmp_path / "a.h5")
        counts = loaded.label_counts
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(counts, data.label_counts)
    # The pairs and the offsets themselves, the names, and half a megabyte for everything else.
    assert peak < 4 * data.n_pairs + 8 * n_images + per_image * n_images + 500_000


@pytest.mark.parametrize("titles", [["\ud800"], {"a"}, "a", 5])
def test_titles_that_are_none_are_refused(titles):
    """Found 2026-11: half of a surrogate pair was a raw UnicodeEncodeError."""
    with pytest.raises(InputError, match="title"):
        AnnotationSet([0, 1], [0], 1, titles=titles)
