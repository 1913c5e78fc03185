"""What an annotation set keeps and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from strategies import annotation_sets, incidence, names

from vsenumba.data import AnnotationSet, Vocabulary, as_annotation_set
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
        with pytest.raises(InputError, match=r"X (must be a numeric matrix|is neither|holds)"):
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


class TestVocabulary:
    def test_unknown_names_are_answered_with_near_ones(self):
        with pytest.raises(UnknownNameError, match="unknown label 'caat'; did you mean 'cat'"):
            Vocabulary(["cat", "dog"], "label").index(["dog", "caat"])

    def test_doubles_are_refused(self):
        with pytest.raises(InputError, match="image 'a' stands twice"):
            Vocabulary(["a", "b", "a"], "image")

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
        assert as_annotation_set([[1, 0], [0, 1]]).digest() == data.digest()
        assert as_annotation_set([["cat"], {"b", "a"}]).labels_of("1") == ["a", "b"]

    @pytest.mark.parametrize("bad", [None, "cat"])
    def test_refusals(self, bad):
        with pytest.raises(InputError, match="train must be an AnnotationSet"):
            as_annotation_set(bad, "train")


@given(data=annotation_sets(extras=True))
def test_a_file_gives_the_set_back(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("set") / "a.h5"
    data.save(path)
    from vsenumba.data import load_dataset

    again = load_dataset(path)
    assert again.digest() == data.digest()
    assert again.shape == data.shape
    for one, other in ((again.features, data.features), (again.titles, data.titles)):
        assert (one is None and other is None) or (one.dtype == other.dtype and np.array_equal(one, other))
