"""Data frames and Parquet: what they hold comes in by the same rules, whatever library made them."""

from __future__ import annotations

import gzip
import json
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from layouts import labels_by_image
from strategies import annotation_sets, names

import vsenumba as vse
from vsenumba.data import as_annotation_set

pd = pytest.importorskip("pandas", reason="pandas is not installed")
pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")


def of_polars(frame):
    return pytest.importorskip("polars", reason="Polars is not installed").from_pandas(frame)


def of_narwhals(frame):
    return pytest.importorskip("narwhals", reason="narwhals is not installed").from_native(frame)


class Stream:
    """As what other libraries hand over."""

    def __init__(self, table):
        self._table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


LIBRARIES = {
    "pandas": lambda frame: frame,
    "pyarrow": pa.Table.from_pandas,
    "stream": lambda frame: Stream(pa.Table.from_pandas(frame)),
    "narwhals": of_narwhals,
    "narwhals, lazy": lambda frame: of_narwhals(frame).lazy(),
    "polars": of_polars,
    "polars, lazy": lambda frame: of_polars(frame).lazy(),
}
FRAMES = {
    "pairs": {"image": ["a", "b", "b"], "tag": ["dog", "cat", "dog"]},
    "lists": {"filename": ["a", "b"], "tags": [["dog"], ["cat", "dog"]]},
    "lists of any name": {"filename": ["a", "b"], "what": [["dog"], ["cat", "dog"]], "size": [7, 8]},
    "one-hot": {"image": ["a", "b"], "cat": [0, 1], "dog": [1, 1]},
    "truths": {"image": ["a", "b"], "cat": [False, True], "dog": [True, True]},
    "one-hot with gaps": {"image": ["a", "b"], "cat": [None, 1.0], "dog": [1.0, 1.0]},
}
EXPECTED = {"a": {"dog"}, "b": {"cat", "dog"}}


@pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)
@pytest.mark.parametrize("columns", FRAMES.values(), ids=FRAMES)
def test_frames_of_every_library(library, columns):
    frame = library(pd.DataFrame(columns))
    assert labels_by_image(as_annotation_set(frame)) == EXPECTED
    assert labels_by_image(vse.load_dataset(frame)) == EXPECTED
    assert labels_by_image(vse.PopularityAnnotator().fit(frame).seen_) == EXPECTED


@pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)
def test_options_say_how_a_frame_is_read(library):
    frame = library(pd.DataFrame({"nom": ["a", "b"], "mots": ["dog", "cat; dog"]}))
    with pytest.raises(
        vse.InputError, match="X: a table with the columns nom, mots has neither .*image_column and label"
    ):
        as_annotation_set(frame)
    with pytest.raises(vse.InputError, match="label_column='mot' is not among .*did you mean 'mots'"):
        vse.load_dataset(frame, image_column="nom", label_column="mot")
    assert labels_by_image(vse.load_dataset(frame, image_column="nom", label_column="mots", separator=";")) == EXPECTED
    scores = library(pd.DataFrame({"image": ["a", "b"], "cat": [0.1, 0.5], "dog": [0.6, 0.9]}))
    with pytest.raises(vse.InputError, match="source: the column 'cat' contains '0.1', not 0 or 1.*threshold"):
        vse.load_dataset(scores)
    assert labels_by_image(vse.load_dataset(scores, threshold=0.5)) == EXPECTED


def test_an_index_has_the_images():
    wide = pd.DataFrame({"cat": [0, 1], "dog": [1, 1]}, index=["a", "b"])
    lists = pd.DataFrame({"tags": [["dog"], ["cat", "dog"]]}, index=["a", "b"])
    pairs = pd.DataFrame({"tag": ["dog", "cat", "dog"]}, index=["a", "b", "b"])
    for frame in (wide, lists, pairs):
        assert labels_by_image(as_annotation_set(frame)) == EXPECTED
    # Without one, rows are counted, and a model knows them by their number.
    for frame in (wide.reset_index(drop=True), lists.reset_index(drop=True)):
        assert list(as_annotation_set(frame).image_ids) == ["0", "1"]
    # The names of labels can be those of images.
    photo = pd.DataFrame({"photo": [0, 1], "tag": [1, 1]}, index=["a", "b"])
    assert labels_by_image(as_annotation_set(photo)) == {"a": {"tag"}, "b": {"photo", "tag"}}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"image": ["a", "b"], "tags": ["x, y", "y, z"]}, "X: 2 of 2 cells in the column 'tags' look like lists"),
        ({"image": ["a", "b"], "label": [0, 1]}, "X: the column 'label' contains only 0 and 1"),
        ({"image": [1.0, 2.0], "tag": ["x", "y"]}, "X: the image in row 0 is the float 1.0"),
        ({"image": ["a", None], "tag": ["x", "y"]}, "X: the image is empty"),
        ({"image": ["a", "a"], "cat": [0, 1], "dog": [0, 1]}, r"X: 1 row\(s\) repeat an image of another row"),
        ({"image": ["a"], "cat": [0], "dog": ["maybe"]}, "X: a table with the columns image, cat, dog has neither"),
        ({"image": ["a"], "tags": [[1.5]]}, "X: a label in 'tags' is the float 1.5"),
        ({"image": ["a", "b"], "cat": [2, 1], "dog": [0, 1]}, "X: the column 'cat' contains '2', not 0 or 1"),
        ({"image": ["a"], "tag": [None]}, "X: no label in 1 record"),
        ({1.5: [0], "dog": [1]}, "X: the name of column 0 is the float 1.5"),
    ],
)
def test_what_is_not_clear_is_asked_about(columns, message):
    with pytest.raises(vse.InputError, match=message):
        as_annotation_set(pd.DataFrame(columns))


def test_doubles_and_options_that_do_not_fit():
    with pytest.raises(vse.InputError, match="X: the column 'cat' appears twice"):
        as_annotation_set(pd.DataFrame([[1, 0]], columns=["cat", "cat"]))
    wide = pd.DataFrame({"image": ["a"], "cat": [0], "dog": [1]})
    for options, message in (
        ({"separator": ","}, "separator=',' cannot be used with this table, which has a column for each label"),
        ({"first_number": 1}, "first_number=1 cannot be used with"),
        ({"format": "pairs"}, "format='pairs' is only for files"),
        ({"threshold": "x"}, "threshold must be a number"),
    ):
        with pytest.raises(vse.InputError, match=message):
            vse.load_dataset(wide, **options)
    with pytest.raises(
        vse.InputError, match="threshold=0.5 cannot be used with this table, which has its labels in 'tag'"
    ):
        vse.load_dataset(pd.DataFrame(FRAMES["pairs"]), threshold=0.5)
    with pytest.raises(
        vse.InputError,
        match="separator=',' cannot be used with .*; it is only for tables and records of text",
    ):
        vse.load_dataset({"a": ["cat"]}, separator=",")


def test_gaps_are_images_without_labels():
    with pytest.warns(UserWarning, match=r"1 record\(s\) have no label"):
        data = as_annotation_set(pd.DataFrame({"image": ["a", "b"], "tag": ["cat", None]}))
    assert labels_by_image(data) == {"a": {"cat"}, "b": set()}


def test_paths_names_and_mappings(tmp_path):
    (tmp_path / "tags.csv").write_text("image,tag\na,dog\nb,cat\nb,dog\n")
    for source in (tmp_path / "tags.csv", str(tmp_path / "tags.csv"), {"a": ["dog"], "b": {"cat", "dog"}}):
        assert labels_by_image(vse.PopularityAnnotator().fit(source).seen_) == EXPECTED
        assert labels_by_image(vse.load_dataset(source)) == EXPECTED
    data = vse.load_dataset({"a": ["dog"]})
    assert vse.load_dataset(data) is data
    assert vse.PopularityAnnotator().fit("openclipart").seen_.n_images == 5654
    with pytest.raises(
        vse.InputError, match="X is 'openclip', which was read as a data set name or a file: unknown .*'openclipart'"
    ):
        vse.PopularityAnnotator().fit("openclip")


@settings(max_examples=30)
@given(data=annotation_sets(min_pairs=1, name=names.filter(lambda name: "\0" not in name)))
def test_a_set_comes_back_from_every_kind_of_frame(data):
    expected = labels_by_image(data)
    matrix = data.to_csr().toarray().astype(int)
    wide = pd.DataFrame(matrix, index=list(data.image_ids), columns=list(data.label_names))
    assert labels_by_image(as_annotation_set(wide)) == expected
    lists = pd.DataFrame({"image": list(data.image_ids), "tags": [data.labels_of(image) for image in data.image_ids]})
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*have no label")
        assert labels_by_image(as_annotation_set(lists)) == expected
        assert labels_by_image(as_annotation_set(pa.Table.from_pandas(lists))) == expected
    images, labels = data.pairs()
    pairs = pd.DataFrame(
        {"image": data.image_ids.take(images).tolist(), "label": data.label_names.take(labels).tolist()}
    )
    read = vse.load_dataset(pairs, separator="none")
    assert labels_by_image(read) == {image: found for image, found in expected.items() if found}


class TestParquet:
    @pytest.mark.parametrize("columns", FRAMES.values(), ids=FRAMES)
    def test_files(self, columns, tmp_path):
        pd.DataFrame(columns).to_parquet(tmp_path / "a", index=False)
        assert labels_by_image(vse.load_dataset(tmp_path / "a")) == EXPECTED

    def described(self, table, column, feature, tmp_path, name="a.parquet"):
        described = {"info": {"features": {column: feature}}}
        pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(described)}), tmp_path / name)
        return tmp_path / name

    def test_labels_that_are_named_in_the_schema(self, tmp_path):
        pictures = pa.array([{"bytes": b"x", "path": "a"}, {"bytes": b"y", "path": "b"}])
        of_class = {"names": ["cat", "dog"], "_type": "ClassLabel"}
        path = self.described(pa.table({"image": pictures, "label": [1, 0]}), "label", of_class, tmp_path)
        assert labels_by_image(vse.load_dataset(path)) == {"a": {"dog"}, "b": {"cat"}}
        for feature in ({"feature": of_class, "_type": "Sequence"}, [of_class]):
            path = self.described(pa.table({"image": pictures, "labels": [[1], [0, 1]]}), "labels", feature, tmp_path)
            assert labels_by_image(vse.load_dataset(path)) == EXPECTED
        path = self.described(pa.table({"image": pictures, "label": [1, 5]}), "label", of_class, tmp_path)
        with pytest.raises(vse.FileFormatError, match="a.parquet: 5 in 'label' is not one of the 2 named labels"):
            vse.load_dataset(path)

    def test_pictures_without_a_path_are_numbered(self, tmp_path):
        pictures = pa.array([{"bytes": b"x", "path": None}] * 2, pa.struct({"bytes": pa.binary(), "path": pa.string()}))
        pq.write_table(pa.table({"image": pictures, "tags": [["dog"], ["cat", "dog"]]}), tmp_path / "a")
        with pytest.warns(UserWarning, match="the column 'image' has no names: images are numbered by row"):
            assert labels_by_image(vse.load_dataset(tmp_path / "a")) == {"0": {"dog"}, "1": {"cat", "dog"}}

    def test_a_folder_of_parts(self, tmp_path):
        for i in range(3):
            table = pa.table({"id": [f"{i}-{k}" for k in range(5)], "tag": [f"tag {k % 2}" for k in range(5)]})
            pq.write_table(table, tmp_path / f"train-0000{i}.parquet")
        assert vse.load_dataset(tmp_path).shape == (15, 2)
        pq.write_table(pa.table({"id": ["x"], "label": ["y"]}), tmp_path / "train-00009.parquet")
        with pytest.raises(vse.FileFormatError, match="train-00009.parquet: there is no column 'tag'"):
            vse.load_dataset(tmp_path)

    def test_many_rows_and_other_columns(self, tmp_path):
        n = 200_000
        table = pa.table(
            {
                "id": np.arange(n), "picture_bytes": [b"x"] * n, "vector": [[0.5]] * n,
                "tag": pa.array([f"tag {i % 7}" for i in range(n)]).dictionary_encode(),
            }
        )  # fmt: skip
        pq.write_table(table, tmp_path / "a.parquet")
        data = vse.load_dataset(tmp_path / "a.parquet")
        assert data.shape == (n, 7)
        assert data.labels_of("8") == ["tag 1"]

    def test_compressed_files_and_claims(self, tmp_path, monkeypatch):
        pd.DataFrame(FRAMES["pairs"]).to_parquet(tmp_path / "a", index=False)
        (tmp_path / "a.gz").write_bytes(gzip.compress((tmp_path / "a").read_bytes()))
        with pytest.raises(
            vse.FileFormatError,
            match="a.gz: the Parquet file is compressed with gzip, xz or bzip2; decompress it first",
        ):
            vse.load_dataset(tmp_path / "a.gz")
        rows = pa.table({"id": np.zeros(5_000_000, np.int8), "tag": np.zeros(5_000_000, np.int8)})
        pq.write_table(rows, tmp_path / "many.parquet")
        monkeypatch.setattr("vsenumba.memory.available_bytes", lambda: 10)
        with pytest.raises(vse.MemoryLimitError, match="a data set of 5,000,000 rows needs at least 80,000,000 bytes"):
            vse.load_dataset(tmp_path / "many.parquet")

    @pytest.mark.parametrize("n", [4, 20, 300, 600])
    def test_damaged_files_are_named(self, n, tmp_path):
        pd.DataFrame(FRAMES["pairs"]).to_parquet(tmp_path / "a", index=False)
        content = (tmp_path / "a").read_bytes()
        (tmp_path / "b").write_bytes(content[:n])
        with pytest.raises(vse.FileFormatError, match="b: cannot be read as Parquet"):
            vse.load_dataset(tmp_path / "b")

    def test_options(self, tmp_path):
        pq.write_table(pa.table({"nom": ["a"], "mots": [["cat"]], "raw": [b"x"]}), tmp_path / "a")
        assert labels_by_image(vse.load_dataset(tmp_path / "a", image_column="nom")) == {"a": {"cat"}}
        for options, message in (
            ({"label_column": "mot"}, "label_column='mot' is not among .*did you mean 'mots'"),
            ({"label_column": "raw"}, "the column 'raw' has the type binary; expected names"),
            ({"first_number": 1}, "first_number=1 cannot be used with .*; it is only for files with numbered labels"),
        ):
            with pytest.raises(vse.InputError, match=message):
                vse.load_dataset(tmp_path / "a", **options)
