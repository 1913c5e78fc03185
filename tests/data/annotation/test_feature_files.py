"""Features in files: every format comes in whole, ids are found, and what does not belong together is named."""

from __future__ import annotations

import gzip

import h5py
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from strategies import distinct_names, table_names

import vsenumba as vse
from vsenumba.data import AnnotationSet, join_features, load_features
from vsenumba.data.annotation.features import is_on_disk

ROWS = np.float32([[0.5, 1, 0], [2, -3, 0.25]])
IDS = ["a.jpg", "b.jpg"]


def write_npy(path, rows, ids):
    with path.open("wb") as file:
        np.save(file, rows)


def write_save_npz(path, rows, ids):
    with path.open("wb") as file:
        sp.save_npz(file, sp.csr_array(rows))


def write_npz(path, rows, ids):
    with path.open("wb") as file:
        np.savez(file, vectors=rows, ids=np.array(ids))


def write_hdf5(path, rows, ids):
    with h5py.File(path, "w") as file:
        file.create_group("clip")["vectors"] = rows
        file["clip"]["image_ids"] = ids


def write_csv(path, rows, ids):
    lines = [
        "id,x,y,z",
        *(f'"{name}",' + ",".join(map(str, row.tolist())) for name, row in zip(ids, rows, strict=True)),
    ]
    path.write_text("\r\n".join(lines), encoding="utf-8")


def write_parquet_lists(path, rows, ids):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    values = pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), rows.shape[1])
    pq.write_table(pa.table({"embedding": values, "path": ids}), path)


def write_parquet_columns(path, rows, ids):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.table({"image_id": ids} | {f"x{j}": rows[:, j] for j in range(rows.shape[1])}), path)


def write_vecs(kind, number):
    def write(path, rows, ids):
        table = [np.array([len(row)], kind).tobytes() + row.astype(number).tobytes() for row in rows]
        path.write_bytes(b"".join(table))

    return write


WITH_IDS = {
    "npz": write_npz,
    "hdf5": write_hdf5,
    "csv": write_csv,
    "parquet lists": write_parquet_lists,
    "parquet columns": write_parquet_columns,
}
WITHOUT = {
    "npy": write_npy,
    "save_npz": write_save_npz,
    "fvecs": write_vecs("<i4", "<f4"),
    "csv without ids": lambda path, rows, ids: np.savetxt(path, rows, delimiter=","),
}


def dense(features):
    return features.toarray() if sp.issparse(features) else np.asarray(features[...])


@pytest.mark.parametrize("layout", WITH_IDS | WITHOUT)
def test_values_ids_and_type_whatever_it_is_called(layout, tmp_path):
    path = tmp_path / "file.without-a-meaning"
    (WITH_IDS | WITHOUT)[layout](path, ROWS, IDS)
    features, ids = load_features(path)
    assert features.dtype == np.float32
    assert np.array_equal(dense(features), ROWS)
    assert ids == (IDS if layout in WITH_IDS else None)
    (tmp_path / "names.txt").write_text("x\ny\n\n")
    assert load_features(path, tmp_path / "names.txt").ids == ["x", "y"]
    assert load_features(path, ["x", "y"]).ids == ["x", "y"]
    with pytest.raises(vse.InputError, match="there are 3 ids for the 2 rows of"):
        load_features(path, ["x", "y", "z"])


@pytest.mark.parametrize("layout", WITH_IDS)
@given(
    rows=hnp.arrays(
        np.float32, st.tuples(st.integers(1, 4), st.just(3)), elements=st.floats(-(2.0**90), 2.0**90, width=32)
    ),
    data=st.data(),
)
def test_what_is_written_is_read_back(layout, rows, data, tmp_path_factory):
    rows[:, 0] = np.arange(len(rows))
    name = table_names.filter(lambda name: not any(c in name for c in '"\n\t\r'))
    ids = data.draw(distinct_names(len(rows), name))
    path = tmp_path_factory.mktemp("features") / "f"
    WITH_IDS[layout](path, rows, ids)
    features, found = load_features(path)
    assert np.array_equal(dense(features), rows)
    assert found == ids


class TestWhatStaysOnDisk:
    @pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32])
    def test_npy_and_hdf5_of_kept_types(self, tmp_path, dtype):
        rows = np.arange(6).reshape(3, 2).astype(dtype)
        np.save(tmp_path / "a.npy", rows)
        write_hdf5(tmp_path / "a.h5", rows, ["a", "b", "c"])
        for name in ("a.npy", "a.h5"):
            features, _ = load_features(tmp_path / name)
            assert is_on_disk(features)
            assert features.dtype == dtype
            assert np.array_equal(features[...], rows)

    @pytest.mark.parametrize("dtype", [np.float64, np.int16, np.bool_, np.dtype(">f4")])
    def test_other_types_become_float32(self, tmp_path, dtype):
        rows = np.array([[0, 1], [1, 1]], dtype)
        np.save(tmp_path / "a.npy", rows)
        write_hdf5(tmp_path / "a.h5", rows, IDS)
        for name in ("a.npy", "a.h5"):
            features, _ = load_features(tmp_path / name)
            assert features.dtype == np.float32
            assert np.array_equal(features, rows)

    def test_vectors(self, tmp_path):
        rows = np.arange(20).reshape(10, 2)
        for name, kind, number, dtype in (
            ("a.fvecs", "<i4", "<f4", np.float32),
            ("a.bvecs", "<i4", "u1", np.uint8),
            ("a.hvecs", "<u2", "<u2", np.float32),
            ("a.hvecs32", "<u4", "<u4", np.float32),
        ):
            write_vecs(kind, number)(tmp_path / name, rows, None)
            features, _ = load_features(tmp_path / name)
            assert features.dtype == dtype
            assert np.array_equal(features, rows)
            assert is_on_disk(features) == (number in ("<f4", "u1"))

    def test_it_is_saved_with_a_set_and_read_again(self, tmp_path):
        np.save(tmp_path / "a.npy", ROWS.astype(np.float16))
        data = AnnotationSet.from_lists([["cat"], ["dog"]], IDS)
        join_features(data, *load_features(tmp_path / "a.npy", IDS[::-1]), backbone="clip").save(tmp_path / "s.h5")
        read = vse.load_dataset(tmp_path / "s.h5")
        assert list(read.image_ids) == IDS[::-1]  # they came to the features
        assert read.labels_of("b.jpg") == ["dog"]
        assert np.array_equal(read.features, ROWS)
        assert read.backbone.name == "clip"


class TestIds:
    def test_a_list_beside(self, tmp_path):
        np.save(tmp_path / "a.npy", ROWS)
        (tmp_path / "a_ids.txt").write_text("x\ny\n")
        assert load_features(tmp_path / "a.npy").ids == ["x", "y"]

    def test_ids_that_are_numbers(self, tmp_path):
        np.savez(tmp_path / "a.npz", x=ROWS, ids=np.array([7, 9]), classes=np.array([0, 1]))
        assert load_features(tmp_path / "a.npz").ids == ["7", "9"]
        (tmp_path / "a.csv").write_text("image_id\tx\n007\t1\n8\t2\n")
        assert load_features(tmp_path / "a.csv").ids == ["007", "8"]

    def test_ids_of_bytes(self, tmp_path):
        np.savez(tmp_path / "a.npz", x=ROWS, names=np.array(["é".encode(), b"b"]))
        assert load_features(tmp_path / "a.npz").ids == ["é", "b"]

    def test_a_first_column_that_looks_like_ids_is_asked_about(self, tmp_path):
        (tmp_path / "a.csv").write_text("3,0.5\n1,0.25\n2,1\n")
        with pytest.raises(vse.InputError, match="cannot tell whether the first column holds ids"):
            load_features(tmp_path / "a.csv")
        (tmp_path / "a.csv").write_text("x,y\n3,0.5\n1,0.25\n2,1\n")
        assert load_features(tmp_path / "a.csv").features.tolist() == [[3, 0.5], [1, 0.25], [2, 1]]

    @pytest.mark.parametrize(
        "text",
        [
            "a.jpg 1 2\nb.jpg 3 4\n",
            "who,x,y\na.jpg,1,2\nb.jpg,3,4\n",
            ",0,1\na.jpg,1,2\nb.jpg,3,4\n",
            "a.jpg;1;2\nb.jpg;3;4",
        ],
    )
    def test_a_first_column_of_texts_is_ids(self, tmp_path, text):
        (tmp_path / "a.csv").write_text(text)
        features, ids = load_features(tmp_path / "a.csv")
        assert ids == IDS
        assert features.tolist() == [[1, 2], [3, 4]]

    def test_an_id_that_stands_twice(self, tmp_path):
        write_csv(tmp_path / "a.csv", ROWS, ["a", "a "])
        with pytest.raises(vse.FileFormatError, match="a.csv: image 'a' appears twice"):
            load_features(tmp_path / "a.csv")


class TestRefusals:
    def test_missing_file(self, tmp_path):
        with pytest.raises(vse.InputError, match=r"cannot read .*no.npy: No such file"):
            load_features(tmp_path / "no.npy")

    @pytest.mark.parametrize("layout", ["npy", "npz", "hdf5", "csv", "parquet lists", "parquet columns"])
    def test_values_that_are_not_finite_and_values_that_are_all_alike(self, layout, tmp_path):
        write = (WITH_IDS | WITHOUT)[layout]
        bad = ROWS.copy()
        bad[1, 1] = np.nan
        write(tmp_path / "a", bad, IDS)
        data = AnnotationSet.from_lists([["cat"], ["dog"]], IDS)
        with pytest.raises(
            vse.InputError if layout in ("npy", "hdf5") else vse.FileFormatError, match="image 1 hold.* NaN"
        ):
            join_features(data, *load_features(tmp_path / "a"))
        write(tmp_path / "b", np.tile(ROWS[:1], (2, 1)), IDS)
        with pytest.raises(vse.FileFormatError, match="b: all 2 images have the same features"):
            load_features(tmp_path / "b")

    def test_sparse_features_that_are_all_alike(self, tmp_path):
        sp.save_npz(tmp_path / "a.npz", sp.csr_array(np.ones((3, 2))))
        with pytest.raises(vse.FileFormatError, match="all 3 images have the same"):
            load_features(tmp_path / "a.npz")

    def test_several_arrays(self, tmp_path):
        np.savez(tmp_path / "a.npz", x=ROWS, y=2 * ROWS)
        with pytest.raises(vse.InputError, match=r"has several arrays: x, y; choose one with --feature-dataset x"):
            load_features(tmp_path / "a.npz")
        assert np.array_equal(load_features(tmp_path / "a.npz", dataset="y").features, 2 * ROWS)
        with pytest.raises(vse.UnknownNameError, match="unknown dataset 'z'"):
            load_features(tmp_path / "a.npz", dataset="z")
        np.save(tmp_path / "a.npy", ROWS)
        with pytest.raises(vse.InputError, match="dataset='x' is only for files with several arrays"):
            load_features(tmp_path / "a.npy", dataset="x")

    @pytest.mark.parametrize(
        ("array", "message"),
        [
            (np.ones(3), r"expected one row per image, .* not \(3,\)"),
            (np.ones((2, 2, 2), np.float32), "expected one row per image"),
            (np.ones((0, 2), np.float32), "expected one row per image"),
            (np.array([["a", "b"]]), "holds <U1, which is not a number"),
            (np.array([[1 + 2j]]), "which is not a number"),
        ],
    )
    def test_arrays_that_are_no_features(self, tmp_path, array, message):
        np.save(tmp_path / "a.npy", array)
        with pytest.raises(vse.FileFormatError, match=message):
            load_features(tmp_path / "a.npy")

    def test_objects_are_never_unpickled(self, tmp_path):
        np.save(tmp_path / "a.npy", np.array([[1, None]], object), allow_pickle=True)
        with pytest.raises(vse.FileFormatError, match="not an .npy file of numbers"):
            load_features(tmp_path / "a.npy")

    def test_damage(self, tmp_path):
        np.save(tmp_path / "a.npy", ROWS)
        write_npz(tmp_path / "a.npz", ROWS, IDS)
        write_hdf5(tmp_path / "a.h5", ROWS, IDS)
        for name in ("a.npy", "a.npz", "a.h5"):
            content = (tmp_path / name).read_bytes()
            (tmp_path / name).write_bytes(content[: len(content) * 2 // 3])
            with pytest.raises(vse.FileFormatError, match=name):
                load_features(tmp_path / name)

    def test_compressed_arrays_cannot_stay_on_disk(self, tmp_path):
        np.save(tmp_path / "a.npy", ROWS)
        (tmp_path / "a.npy.gz").write_bytes(gzip.compress((tmp_path / "a.npy").read_bytes()))
        with pytest.raises(vse.FileFormatError, match="decompress the file first"):
            load_features(tmp_path / "a.npy.gz")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("id,x,y\na,1,2\nb,3\n", r"a.csv: line 3: 2 cell\(s\), but the first line has 3"),
            ("id,x,y\na,1,2\nb,3,\n", "line 3: the column 'y' is '', which is not a number"),
            ("id,x,y\na,1,2\nb,three,4\n", "line 3: the column 'x' is 'three'"),
            ("a,1,2\n\nb,3,x\n", "line 3: number 1 is 'x'"),
            ("id,x,y\na,1,2\n,3,4\n", "line 3: the id is empty"),
            ("id,x,y\n", "the file has no rows of numbers"),
            ("id\na\nb\n", "the table has a column of ids but no columns of numbers"),
        ],
    )
    def test_lines_of_a_table(self, tmp_path, text, message):
        (tmp_path / "a.csv").write_text(text)
        with pytest.raises(vse.FileFormatError, match=message):
            load_features(tmp_path / "a.csv")

    def test_vectors_of_different_lengths(self, tmp_path):
        write_vecs("<i4", "<f4")(tmp_path / "a.fvecs", [np.ones(2)] * 19, None)
        content = bytearray((tmp_path / "a.fvecs").read_bytes())
        content[12 * 15] = 1
        (tmp_path / "a.fvecs").write_bytes(bytes(content))
        with pytest.raises(vse.FileFormatError, match="vector 15 has the length 1, but vector 0 has 2"):
            load_features(tmp_path / "a.fvecs")

    def test_parquet(self, tmp_path):
        pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        for columns, error, message in (
            ({"x": [[1.0, 2.0], [1.0]]}, vse.FileFormatError, "row 1 has 1 numbers, but row 0 has 2"),
            ({"x": [[1.0, 2.0], None]}, vse.FileFormatError, "the column 'x' has no value in row 1"),
            ({"x": [[1.0, 2.0], [3.0, None]]}, vse.FileFormatError, "there is a missing number in row 1"),
            ({"x": [1.0, None]}, vse.FileFormatError, "the column 'x' has no value in row 1"),
            ({"id": ["a", "b"]}, vse.FileFormatError, "has no column of numbers or of lists of numbers, only id"),
            (
                {"x": [[1.0], [2.0]], "y": [[1.0], [2.0]]},
                vse.InputError,
                "has several columns of lists: x, y; choose one",
            ),
        ):
            pq.write_table(pa.table(columns), tmp_path / "a.parquet")
            with pytest.raises(error, match=message):
                load_features(tmp_path / "a.parquet")
        assert load_features(tmp_path / "a.parquet", dataset="y").features.tolist() == [[1], [2]]
        (tmp_path / "a.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:100])
        with pytest.raises(vse.FileFormatError, match="cannot be read as Parquet"):
            load_features(tmp_path / "a.parquet")


class TestJoining:
    DATA = AnnotationSet.from_lists([["cat"], ["dog"], ["cat", "dog"]], ["a", "b", "c"])
    ROWS = np.float32([[1], [2], [3]])

    def test_by_order_and_by_id(self):
        assert join_features(self.DATA, self.ROWS).features.tolist() == [[1], [2], [3]]
        joined = join_features(self.DATA, self.ROWS, ["c", "a", "b"])
        assert list(joined.image_ids) == ["a", "b", "c"]
        assert joined.features.tolist() == [[2], [3], [1]]
        sparse = join_features(self.DATA, sp.csr_array(self.ROWS), ["c", "a", "b"])
        assert sparse.features.toarray().tolist() == [[2], [3], [1]]

    def test_what_is_in_one_only_is_counted_and_named(self):
        with pytest.warns(
            UserWarning, match=r"1 of 3 images have no features, such as 'b'; 1 of 3 features belong to no .*'d'"
        ):
            joined = join_features(self.DATA, self.ROWS, ["d", "c", "a"])
        assert list(joined.image_ids) == ["a", "c"]
        assert joined.features.tolist() == [[3], [2]]
        assert joined.labels_of("c") == ["cat", "dog"]

    def test_nothing_belongs_together(self):
        with pytest.raises(vse.InputError, match=r"none of the 3 ids .* 'a' is not among them, the nearest is 'a.j'"):
            join_features(self.DATA, self.ROWS, ["a.j", "x.j", "y.j"])

    def test_numbers_of_rows(self):
        with pytest.raises(vse.InputError, match="features for 2 images, but the data set has 3; give their image ids"):
            join_features(self.DATA, self.ROWS[:2])
        with pytest.raises(vse.InputError, match="there are 2 ids for features of 3 images"):
            join_features(self.DATA, self.ROWS, ["a", "b"])
        with pytest.raises(vse.InputError, match=r"not of shape \(3,\)"):
            join_features(self.DATA, self.ROWS[:, 0])

    def test_features_that_it_had_are_replaced(self):
        data = self.DATA.with_features(np.zeros((3, 2)), "old")
        joined = join_features(data, self.ROWS, ["c", "a", "b"], backbone="new")
        assert joined.features.shape == (3, 1)
        assert joined.backbone.name == "new"
