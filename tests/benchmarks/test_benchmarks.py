"""The benchmarks run on tiny data, so that they cannot rot; nothing is said of their times."""

from __future__ import annotations

import json

import numba
import numpy as np
import pytest
from benchmark_folder import FOLDER
from sampler_variants import LEVEL, fit_of

import vsenumba as vse


@pytest.fixture(scope="module")
def tiny_set(tmp_path_factory):
    path = tmp_path_factory.mktemp("sets") / "tiny.h5"
    vse.synthetic(40, 12, 140, rng=0).save(path)
    return str(path)


@pytest.fixture
def threads():
    """Put the number of threads back, which the benchmarks set for their whole process."""
    before = numba.get_num_threads()
    yield
    numba.set_num_threads(before)


def test_sampler_cost(benchmark, tmp_path, threads, capsys):
    tiny = "--labels 20 30 --factors 4 --seconds 0 --repeats 2 --epochs 1 --training-factors 4 --training-labels 10"
    benchmark("sampler_cost").main([*tiny.split(), "--training-images", "20", "--out", str(tmp_path)])
    result = json.loads((tmp_path / "sampler-cost.json").read_text())
    assert [row["n_labels"] for row in result["against_labels"]] == [20, 30]
    assert {*vse.samplers.SAMPLERS} <= {*result["against_labels"][0]["samplers"]}
    assert [row["inputs"] for row in result["training"]] == ["ids", "labels"]
    assert (tmp_path / "sampler-cost.png").stat().st_size > 1000
    assert "ns a step" in capsys.readouterr().out


def test_sampler_laws(benchmark, tmp_path, tiny_set, capsys):
    tiny = "--factors 4 --epochs 1 2 --images 10 --passes 1 --seeds 1"
    benchmark("sampler_laws").main([tiny_set, *tiny.split(), "--out", str(tmp_path)])
    stages = json.loads((tmp_path / "sampler-laws.json").read_text())["stages"]
    assert [stage["epoch"] for stage in stages] == [1, 2]
    for stage in stages:
        assert all(0 <= row["distance"] <= 1 for row in stage["lam"])
        # As orders age 0 they are fresh.
        assert stage["age"][0]["distance"] == stage["age"][0]["fresh_distance"]
        assert stage["basis"]["as trained"]["from_trained"] == 0
    assert (tmp_path / "sampler-laws.png").stat().st_size > 1000
    assert "principal axes" in capsys.readouterr().out


def test_inputs(benchmark, tmp_path, tiny_set, capsys):
    tiny = "--factors 4 --epochs 2 --seeds 1"
    benchmark("inputs").main([tiny_set, *tiny.split(), "--out", str(tmp_path)])
    (runs,) = json.loads((tmp_path / "inputs.json").read_text())["results"].values()
    assert {*runs} == {"labels", "ids", "labels + ids", "ids + labels"}
    assert all(0 < run["mrr"] <= 1 and run["epoch"] in (1, 2) for (run,) in runs.values())
    assert "| tiny | " in capsys.readouterr().out


def test_pace(benchmark, tmp_path, threads, capsys):
    tiny = "--planted 30 12 90 --factors 4 --threads 1 --repeats 2 --loops 3"
    benchmark("pace").main([*tiny.split(), "--out", str(tmp_path)])
    result = json.loads((tmp_path / "pace.json").read_text())
    (measured,) = result["factors"].values()
    assert all(len(ns) == 2 and min(ns) > 0 for ns in measured["ns"].values())
    assert {"ours, ids, uniform, 1 thread", "ours, labels, as it comes, 1 thread"} <= {*measured["ns"]}
    # Two label rows read and written, and the image's once for its three pairs.
    assert measured["bounds"]["ids"]["bytes"] == pytest.approx(16 * (4 + 2 / 3))
    assert "| 4 | ours, ids, uniform, 1 thread |" in capsys.readouterr().out


def test_in_flight(benchmark, tmp_path, tiny_set, capsys):
    tiny = "--pairs 64 --inputs ids --seeds 1 --epochs 1"
    benchmark("in_flight").main([tiny_set, *tiny.split(), "--out", str(tmp_path)])
    lines = json.loads((tmp_path / "in-flight.json").read_text())
    assert [line["pairs"] for line in lines] == [64]
    assert all(len(line["mrr"]) == 1 and 0 < line["mrr"][0] <= 1 for line in lines)
    assert "64 at a time" in capsys.readouterr().out


def test_the_list_names_every_benchmark(benchmark, capsys):
    command = benchmark("__main__")
    assert command.main([]) == 0
    assert command.main(["nothing"]) == 2
    modules = {path.stem for path in FOLDER.glob("[!_]*.py") if "\ndef main(" in path.read_text(encoding="utf-8")}
    assert {name.replace("-", "_") for name in command.BENCHMARKS} == modules
    assert "sampler-cost" in capsys.readouterr().out


def test_sampler_convergence(benchmark, tmp_path, tiny_set, capsys):
    tiny = ["--factors", "4", "--epochs", "2", "--seeds", "1", "--out", str(tmp_path)]
    methods = ["adaptive .05, rotated", "half neighbours"]
    benchmark("sampler_convergence").main([tiny_set, *tiny, "--methods", *methods])
    (results,) = json.loads((tmp_path / "sampler-convergence.json").read_text())["results"].values()
    assert {*results} == {*methods, "adaptive .05"}
    assert all(0 < mrr <= 1 for result in results.values() for mrr in result["mrr@1"])
    assert (tmp_path / "sampler-convergence.png").stat().st_size > 1000
    assert "µs/step" in capsys.readouterr().out


@pytest.mark.parametrize("method", ["half popularity", "best 4, half uniform", "rank of 8, half uniform"])
def test_the_samplers_that_were_tried_draw_by_their_laws(benchmark, method):
    sampler = benchmark("sampler_convergence").METHODS[method]
    rng = np.random.default_rng(0)
    images, labels = rng.standard_normal((1, 4)), rng.standard_normal((12, 4))
    law = sampler.law(images, labels, [[0, 3]])
    drawn = sampler.draw(images, labels, 20_000 if not numba.config.DISABLE_JIT else 200, rng=0, positives=[[0, 3]])
    assert fit_of(np.bincount(drawn[0], minlength=12), law[0]) > LEVEL


@pytest.mark.parametrize(
    "settings", [{"share": 1.0}, {"n_candidates": 3}, {"power": 0.5, "share": 0.8}, {"share": 0.0}], ids=str
)
def test_neighbours_are_drawn_by_their_law(benchmark, settings):
    rng = np.random.default_rng(3)
    pairs = rng.random((40, 12)) < rng.uniform(0.05, 0.6, 12)
    pairs[:, 11] = False
    sampler = benchmark("neighbour_sampler").NeighbourSampler(**settings).for_set(vse.AnnotationSet.from_csr(pairs))
    images, labels = rng.standard_normal((3, 4)), rng.standard_normal((12, 4))
    own = [[0, 3], [11], [2, 5, 11]]
    law = sampler.law(images, labels, own)
    together = (pairs.T.astype(float) @ pairs) ** settings.get("power", 1.0) * (1 - np.eye(12))
    if "n_candidates" not in settings:
        # Label 11 occurs with none: any label stands for its neighbours.
        near = [together[y] / together[y].sum() if y < 11 else np.full(12, 1 / 12) for y in own[2]]
        expected = sampler.share * np.mean(near, axis=0) + (1 - sampler.share) / 12
        expected[own[2]] = 0
        assert law[2] == pytest.approx(expected / expected.sum(), abs=1e-12)
    drawn = sampler.draw(images, labels, 20_000 if not numba.config.DISABLE_JIT else 200, rng=0, positives=own)
    for i in range(3):
        assert fit_of(np.bincount(drawn[i], minlength=12), law[i]) > LEVEL


def test_sets_are_made_of_what_others_published(benchmark, tmp_path, capsys):
    lines = [f"{i}.jpg#0\tThe dog runs past a tree" for i in range(5)]
    (tmp_path / "captions.txt").write_text("\n".join([*lines, "no caption", "9.jpg#0\tA rare bird"]))
    (tmp_path / "ratings.inter").write_text("user film rating time\n1\t7\t4\t0\n1\t8\t3\t0\n2\t7\t5\t0\n")
    record = {"hex": "1F600", "tags": ["face"], "keywords": ["happy", "face"]}
    (tmp_path / "emoji.jsonl").write_text(json.dumps(record))
    files = ["--flickr8k", "captions.txt", "--movielens", "ratings.inter", "--emoji", "emoji.jsonl"]
    words = [word if word.startswith("--") else str(tmp_path / word) for word in files]
    benchmark("sets").main([*words, "--out", str(tmp_path / "made")])
    words, films, both = (
        vse.load_dataset(tmp_path / "made" / f"{name}.h5") for name in ("flickr8k-words", "movielens", "emoji-keywords")
    )
    assert set(words.label_names) == {"dog", "runs", "past", "tree"}
    assert words.n_images == 5
    assert [films.labels_of(user) for user in ("1", "2")] == [["7"], ["7"]]
    assert set(both.labels_of("1F600")) == {"face", "happy"}
    assert "movielens: 2 images" in capsys.readouterr().out


def test_pictures(benchmark, tmp_path, capsys):
    benchmark("pictures").main(["--share", "0.002", "--threads", "1", "--out", str(tmp_path)])
    result = json.loads((tmp_path / "pictures.json").read_text())
    assert {name: row["pictures"] for name, row in result["pictures"].items()} == {"640x480": 4, "12 megapixels": 1}
    assert all(row["pictures_a_second"] > 0 for row in result["pictures"].values())
    assert "a second" in capsys.readouterr().out
