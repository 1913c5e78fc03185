"""The benchmark of asking on tiny data; nothing is said of its times."""

from __future__ import annotations

import json
import warnings

import pytest

TINY = "--suggest 40 20 --search 40 20 --stream 300 30 --asked 50 --threads 1 --factors 4 --repeats 1"


def test_everything_is_asked(benchmark, tmp_path, capsys):
    benchmark("asking").main([*TINY.split(), "--out", str(tmp_path)])
    result = json.loads((tmp_path / "asking.json").read_text())
    assert result["suggest"]["shape"] == [40, 20]
    assert len(result["suggest"]["seconds"]) == 5
    assert set(result["search"]["seconds"]) == {"labels", "ids"}
    assert 0 < result["stream"]["n_found"] <= 490
    assert "| find_images, a label | ids |" in capsys.readouterr().out


def test_an_index_is_asked(benchmark, tmp_path, monkeypatch):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of SWIG, which faiss is wrapped by
        pytest.importorskip("faiss")
    monkeypatch.setattr("vsenumba.models.image_index.LEAST_IMAGES", 1)
    benchmark("asking").main([*TINY.split(), "--index", "600", "--out", str(tmp_path)])
    questions = json.loads((tmp_path / "asking.json").read_text())["index"]["questions"]
    assert all(0 < one["recall"] <= 1 for one in questions.values())
