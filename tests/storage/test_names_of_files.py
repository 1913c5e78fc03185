"""Names that no file can have, wherever one is asked for."""

from __future__ import annotations

import numpy as np
import pytest

import vsenumba as vse
from vsenumba.data.vector_files import write_vectors

NAMES = {
    "5,000 letters": "x" * 5000,
    "in a folder of 300 letters": "x" * 300 + "/a",
    "half a character": "a\ud800",
    "in a folder of half a character": "\ud800/a",
    "the character 0": "a\0b",
}


def ways():
    data = vse.AnnotationSet.from_lists([["x", "y"], ["y", "z"]])
    vectors = vse.WordVectors(["a", "b"], np.eye(2))
    return {
        "load_dataset": vse.load_dataset,
        "load_model": vse.load_model,
        "load_word2vec": vse.WordVectors.load_word2vec,
        "save a set": data.save,
        "save a model": vse.PopularityAnnotator().fit(data).save,
        "save_word2vec": vectors.save_word2vec,
        "write_vectors": lambda path: write_vectors(path, data.label_names, np.ones((3, 2), np.float32)),
    }


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("way", ways())
def test_a_name_that_no_file_can_have_is_refused(way, name, tmp_path, monkeypatch):
    """Found 2026-11: OSError, UnicodeEncodeError and ValueError."""
    monkeypatch.chdir(tmp_path)
    for path in (f"{name}.bin", str(tmp_path / f"{name}.bin")):
        with pytest.raises(vse.InputError, match=r"^(cannot (read|write)|there is no file)") as raised:
            ways()[way](path)
        assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("way", ["load_dataset", "load_model", "save a model"])
def test_a_name_without_an_ending_likewise(way):
    for name in NAMES.values():
        with pytest.raises((vse.InputError, vse.UnknownNameError)):
            ways()[way](name)


@pytest.mark.parametrize("path", [5, None, b"a.h5"])
def test_what_is_no_path_is_refused(path):
    """A sibling: TypeError."""
    with pytest.raises(vse.InputError, match="^cannot read an object of type "):
        vse.load_model(path)
