"""The benchmark and the example of word vectors run on tiny data, so that they cannot rot."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "self_embedded_negatives.py"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("words")
    rng = np.random.default_rng(0)
    names = ["cat", "dog", "cow", "oak", "elm", "ash"]
    (folder / "text.txt").write_text("\n".join(" ".join(rng.permutation(names)) for _ in range(40)))
    (folder / "pairs.txt").write_text("cat\tdog\t9\ncat\tcow\t8\ncat\toak\t1\ndog\telm\t2\noak\telm\t8\noak\tash\t7\n")
    (folder / "q.txt").write_text(": trees\ncat dog oak elm\ndog cow elm ash\n")
    return [str(folder / name) for name in ("text.txt", "pairs.txt", "q.txt")]


def test_words(benchmark, files, tmp_path, capsys):
    text, pairs, questions = files
    tiny = "--factors 4 --epochs 1 --seeds 1 --rates 0.025 0.05 --threads 1"
    sources = ["--texts", text, "--similarity", pairs, "--analogies", questions, "--out", str(tmp_path)]
    benchmark("words").main([*sources, *tiny.split(), "--methods", "vsenumba CBOW, popularity"])
    result = json.loads((tmp_path / "words.json").read_text())
    assert {(run["rate"], run["seed"]) for run in result["runs"]} == {(0.025, 0), (0.05, 0)}
    for run in result["runs"]:
        assert -1 <= run["reporting"]["pairs"] <= 1
        assert 0 <= run["analogies"] <= 1
        # A centre, six others and an eighth of a block's 20 negatives, of four factors, read and written.
        assert run["window_bytes"] == 9.5 * 4 * 4 * 2
        assert run["words_per_processor_second"] > 0
        # Two tables of six words and four factors.
        assert run["bound_bytes"] == 300_000_000 + int(1.3 * 2 * 6 * 4 * 4)
    assert [encoding["tokens"] for encoding in result["encoding"]] == [240] * 3
    assert "| 4 | vsenumba CBOW, popularity |" in capsys.readouterr().out


def test_words_by_what_negatives_are_drawn_for(benchmark, files, tmp_path, capsys):
    text, pairs, _ = files
    tiny = "--factors 4 --epochs 1 --seeds 1 --rates 0.05 --threads 1 --draws-per pair --draws 3"
    sources = ["--texts", text, "--similarity", pairs, "--out", str(tmp_path)]
    benchmark("words").main([*sources, *tiny.split(), "--methods", "vsenumba CBOW, popularity"])
    (run,) = json.loads((tmp_path / "words.json").read_text())["runs"]
    assert run["window_bytes"] == (7 + 6 * 3) * 4 * 4 * 2
    assert "| vsenumba CBOW, popularity, 3 draws a pair |" in capsys.readouterr().out


def test_the_rate_is_chosen_on_one_half_and_reported_on_the_other(benchmark):
    words = benchmark("words")
    runs = [
        {"method": "a", "k": 4, "rate": rate, "choosing": {"s": good}, "reporting": {"s": -good}}
        for rate, good in ((0.1, 0.3), (0.2, 0.5), (0.1, 0.4), (0.2, 0.6))
    ]
    chosen = words.best_rate("a", 4, runs)
    assert [run["rate"] for run in chosen] == [0.2, 0.2]
    assert [words.mean_similarity(run, "reporting") for run in chosen] == [-0.5, -0.6]


def test_the_example(files, tmp_path, monkeypatch, capsys):
    spec = importlib.util.spec_from_file_location("self_embedded_negatives", EXAMPLE)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    text, pairs, questions = files
    tiny = "--lams 0.1 --factors 4 --epochs 2 --seeds 2 --draws-per pair --negatives 2"
    sources = [text, "--similarity", pairs, "--analogies", questions, "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["example", *sources, *tiny.split()])
    example.main()
    runs = json.loads((tmp_path / "self_embedded_negatives.json").read_text())
    assert list(runs)[:2] == ["popularity", "adaptive, λ = 0.1"]
    assert len(runs) == 3
    assert all(len(records) == 2 and len(all_) == 2 for all_ in list(runs.values())[:2] for records in all_)
    assert (tmp_path / "self_embedded_negatives.png").stat().st_size > 1000
    assert "adaptive, λ = 0.1" in capsys.readouterr().out
