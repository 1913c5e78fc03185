"""The benchmarks of scale run on tiny data, so that they cannot rot; nothing is said of their times."""

from __future__ import annotations

import json

import pytest


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    return tmp_path_factory.mktemp("sets")


def test_scale(benchmark, sets, tmp_path, capsys):
    tiny = "--pairs 200 --labels 15 --label-pairs 150 --inputs ids --samplers uniform --factors 4 --threads 1"
    benchmark("scale").main([*tiny.split(), "--sets", str(sets), "--out", str(tmp_path)])
    result = json.loads((tmp_path / "scale.json").read_text())
    (by_pairs,), (by_labels,) = result["against_pairs"], result["against_labels"]
    assert [by_pairs[name] for name in ("n_images", "n_labels", "n_pairs")] == [30, 37, 200]
    assert [by_labels[name] for name in ("n_images", "n_labels", "n_pairs")] == [22, 15, 150]
    assert len(by_pairs["epochs"]) == 2
    # Factors and sums of 30 images and 37 labels.
    assert by_pairs["bound_bytes"] == 10**9 + int(1.25 * (30 + 37) * (4 * 4 + 4))
    assert 10**7 < by_pairs["peak_bytes"] < 10**10
    assert {path.name for path in sets.iterdir()} >= {"planted-30-37-200.h5", "planted-22-15-150.h5"}
    assert (tmp_path / "scale.png").stat().st_size > 1000
    assert "| pairs | inputs | sampler |" in capsys.readouterr().out


def test_all_of_openimages_is_among_the_sizes(benchmark):
    scale = benchmark("scale")
    assert scale._like_openimages(60_000_000) == scale.OPENIMAGES == (9_000_000, 20_000, 60_000_000)
    assert scale._like_openimages(240_000_000).n_labels == 20_000


def test_paper_sizes(benchmark, sets, tmp_path, capsys):
    tiny = "--set-names IAPR-TC12 --methods Opt-AUC --shrink 20 --factors 4 --passes 2 --threads 1"
    benchmark("paper_sizes").main([*tiny.split(), "--sets", str(sets), "--out", str(tmp_path)])
    (run,) = json.loads((tmp_path / "paper-sizes.json").read_text())["runs"]
    assert [run[name] for name in ("n_images", "n_labels", "n_pairs")] == [981, 14, 3976]
    assert run["paper_hours"] == 1.82
    assert "| Opt-AUC | IAPR-TC12 |" in capsys.readouterr().out
