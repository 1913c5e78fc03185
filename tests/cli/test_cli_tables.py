"""Tables of suggestions and files of vectors in formats that are written as they come."""

from __future__ import annotations

import numpy as np
import pytest

import vsenumba as vse
from vsenumba.cli import suggestions_table
from vsenumba.data.annotation.feature_files import load_features
from vsenumba.data.vector_files import write_vector_blocks


def rows_of(files):
    pq = pytest.importorskip("pyarrow.parquet")
    return [tuple(row.values()) for file in files for row in pq.read_table(file).to_pylist()]


def suggestions(folder):
    model = vse.load_model(folder / "all.h5")
    return [(image, *match) for image, matches in model.annotate_each(model.seen_, 2) for match in matches]


def test_suggestions_are_written_as_parquet(succeeds, folder):
    pytest.importorskip("pyarrow")
    done = succeeds("annotate", "all.h5", "--all", "-n", "2", "-o", "table.parquet")
    expected = suggestions(folder)
    assert rows_of(["table.parquet"]) == expected
    assert done.err == f"saved table.parquet: {len(expected)} suggestions for 6 images\n"


def test_a_folder_has_parts_of_so_many_images_each(succeeds, fails, folder, monkeypatch):
    pytest.importorskip("pyarrow")
    monkeypatch.setattr(suggestions_table, "_IMAGES", 4)
    succeeds("annotate", "all.h5", "--all", "-n", "2", "-o", "parts/")
    parts = sorted((folder / "parts").iterdir())
    assert [part.name for part in parts] == ["part-00000.parquet", "part-00001.parquet"]
    assert rows_of(parts) == suggestions(folder)
    assert len({image for image, _, _ in rows_of(parts[:1])}) == 4
    assert "parts already contains Parquet files; choose another" in fails(
        "annotate", "all.h5", "--all", "-o", "parts/"
    )


def test_a_table_without_a_row_has_its_columns(succeeds, folder):
    pq = pytest.importorskip("pyarrow.parquet")
    succeeds("annotate", "all.h5", "--all", "--least-score", "1e9", "-o", "table.parquet")
    table = pq.read_table("table.parquet")
    assert table.column_names == ["image", "label", "score"]
    assert [str(kind) for kind in table.schema.types] == ["string", "string", "float"]


def test_parquet_is_for_no_spreadsheet_and_needs_pyarrow(fails, folder, monkeypatch):
    words = ["annotate", "all.h5", "--all", "-o", "table.parquet"]
    assert "--excel works with CSV only" in fails(*words, "--excel", status=2)
    monkeypatch.setattr("vsenumba.data.parquet_tables.importlib.util.find_spec", lambda name: None)
    for one in (words, ["annotate", "all.h5", "--all", "-o", "parts/"], ["export", "all.h5", "-o", "table.parquet"]):
        assert "needs pyarrow; install it with pip install 'vsenumba[frames]'" in fails(*one)


@pytest.mark.parametrize("ending", ["h5", "parquet"])
@pytest.mark.parametrize(
    ("words", "what"),
    [(["all.h5"], "labels"), (["all.h5", "--what", "images"], "images"), (["words.h5"], "words")],
    ids=["labels", "images", "words"],
)
def test_vectors_are_written_in_formats_that_are_read_as_features(succeeds, folder, words, what, ending):
    if ending == "parquet":
        pytest.importorskip("pyarrow")
    names, vectors = vse.load_model(words[0]).vectors(what)
    done = succeeds("export", *words, "-o", f"vectors.{ending}")
    found = load_features(f"vectors.{ending}")
    np.testing.assert_array_equal(found.features[...], vectors)
    assert list(found.ids) == list(names)
    assert f"the vectors of {len(names)} {what}, 4 factors each" in done.out


def test_captions_are_written_too(succeeds, folder):
    succeeds("export", "retriever.h5", "--data", "pictures.h5", "--what", "captions", "-o", "captions.h5")
    names, vectors = vse.load_model("retriever.h5").vectors("captions", "pictures.h5")
    found = load_features("captions.h5")
    np.testing.assert_array_equal(found.features[...], vectors)
    assert list(found.ids) == list(names)


def test_an_ending_that_no_format_has_is_refused(fails, folder, tmp_path):
    assert "must end in .npz, .txt, .vec, .bin, .h5, .parquet, .safetensors" in fails(
        "export", "all.h5", "-o", "vectors.csv"
    )
    with pytest.raises(vse.InputError, match=r"in blocks: the name must end in \.h5 or \.parquet"):
        write_vector_blocks(tmp_path / "vectors.vec", [])
    with pytest.raises(vse.InputError, match="there are no vectors to write"):
        write_vector_blocks(tmp_path / "vectors.h5", [])
    assert not (tmp_path / "vectors.h5").exists()
