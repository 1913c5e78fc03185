"""The benchmark of the paper's headline, and its example, on tiny data; nothing is said of their times."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import vsenumba as vse

EXAMPLE = Path(__file__).parents[2] / "examples" / "vse_ens.py"
TINY = "--shrink 40 --labels 12 --limit 0.01 --warp-limit 0.01 --factors 4 --seeds 1"


def test_vse_ens(benchmark, tmp_path, capsys):
    vse.synthetic(40, 12, 140, rng=0).save(tmp_path / "mine.h5")
    samplers = ["--samplers", "WARP", "WARP, 10 trials", "adaptive"]
    chosen = [*samplers, "--losses", "hinge", "warp"]
    arguments = [str(tmp_path / "mine.h5"), "--planted", "IAPR-TC12", *TINY.split(), *chosen, "--out", str(tmp_path)]
    main = benchmark("vse_ens").main
    main(arguments)
    files = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()}
    # The rank-weighted loss is for the samplers that search.
    assert len(files) == 3 * (3 + 2)
    result = json.loads((tmp_path / "vse-ens.json").read_text())
    assert {*result["summary"]} == {"mine", "IAPR-TC12", "12 labels"}
    for rows in result["summary"].values():
        for row in rows:
            assert 0 < row["best"][0] <= 1
            if row["sampler"] == "WARP":
                assert row["processor sooner than WARP"] == row["seconds sooner than WARP"] == [1.0]
    printed = capsys.readouterr().out
    assert "| hinge | adaptive |" in printed
    assert "| 12 | WARP, 10 trials |" in printed
    assert (tmp_path / "vse-ens.png").stat().st_size > 1000
    main(arguments)
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()} == files


def test_a_search_in_pieces_is_the_search(benchmark):
    pieces = benchmark("vse_ens_run").WarpInPieces(max_trials=20)
    data = vse.synthetic(200, 30, 800, rng=0)
    how = {"inputs": "ids", "n_factors": 4, "n_epochs": 2, "deterministic": True, "random_state": 0}
    models = [vse.ImageAnnotator(sampler=one, **how).fit(data) for one in (pieces, vse.WarpSampler(max_trials=20))]
    np.testing.assert_array_equal(*[model.label_factors_ for model in models])


def point(processor, choosing, mrr):
    return {"epoch": processor, "seconds": 2 * processor, "processor": processor, "choosing": choosing, "mrr": mrr}


def made_up_run(sampler, points, seed=0, loss="hinge", trials=()):
    return {"sampler": sampler, "loss": loss, "seed": seed, "points": points, "trials": [*trials], "n_labels": 100}


def test_the_summary_of_runs(benchmark):
    module = benchmark("vse_ens")
    warp = [point(1, 0.1, 0.1), point(8, 0.3, 0.2), point(20, 0.2, 0.4)]
    runs = [
        made_up_run(
            "WARP",
            warp,
            trials=[{"epoch": 1, "trials": 7.0}, {"epoch": 8, "trials": 900.0}, {"epoch": 20, "trials": 1e6}],
        ),
        made_up_run("WARP", warp, seed=1, trials=[{"epoch": 1, "trials": 1100.0}]),
        made_up_run("adaptive", [point(2, 0.1, 0.1), point(4, 0.2, 0.25)]),
        made_up_run("adaptive", [point(2, 0.1, 0.1)], seed=1),
    ]
    rows = {row["sampler"]: row for row in module.summary(runs)}
    # The half that chooses says 8 seconds, the half that reports .2 there.
    assert rows["WARP"]["best"] == [0.2, 0.2]
    # In the eighth epoch, its best; or in the last that was whole.
    assert rows["WARP"]["trials"] == 1000
    assert rows["adaptive"]["processor sooner than WARP"] == [2.0, None]
    assert rows["adaptive"]["processor sooner than WARP, 10 trials"] == []
    lines = module.table([*rows.values()]).splitlines()
    assert "| 2.0, 1 of 2 (2.0, 1 of 2) | – (–) |" in lines[-1]


@pytest.mark.parametrize(
    ("ratios", "text"),
    [
        ([0.5, 2.0], "1 times as soon from 1,000 labels"),
        ([2.0, 4.0], "1 times as soon from 100 labels or fewer"),
        ([0.5, 0.8], "never 1 times as soon"),
        ([None, 2.0], "1 times as soon at 10,000 labels, and not there at all at 100"),
    ],
)
def test_the_crossing_is_where_the_line_is(benchmark, ratios, text):
    module = benchmark("vse_ens")
    rows = {
        f"{n} labels": module.summary(
            [
                made_up_run("WARP", [point(10, 0.1, 0.1)]) | {"n_labels": n},
                made_up_run("adaptive", [point(10 / ratio, 0.1, 0.1) if ratio else point(1, 0.1, 0.0)])
                | {"n_labels": n},
            ]
        )
        for n, ratio in zip((100, 10_000), ratios, strict=True)
    }
    assert text in module.crossing(module.against_labels(rows), "hinge")


def test_the_figure_of_a_sampler_that_never_gets_there(benchmark, tmp_path):
    runs = [made_up_run("WARP", [point(1, 0.2, 0.2)]), made_up_run("adaptive", [point(1, 0.1, 0.1)])]
    module = benchmark("vse_ens")
    by_set = {"mine": runs, "100 labels": runs}
    curve = module.against_labels({name: module.summary(of_set) for name, of_set in by_set.items()})
    assert {row["speed_up"] for row in curve if row["sampler"] == "adaptive"} == {None}
    vse.save_figure(benchmark("vse_ens_figure").figure(by_set, curve), tmp_path / "f.png")


@pytest.mark.parametrize("words", [[], ["tiny.h5"]], ids=["planted", "a set by path"])
def test_the_example(words, tmp_path, monkeypatch, capsys):
    if not EXAMPLE.is_file():
        pytest.skip("the examples are not in the wheel, but in the source")
    monkeypatch.chdir(tmp_path)
    vse.synthetic(60, 12, 240, rng=0).save("tiny.h5")
    spec = importlib.util.spec_from_file_location("example_vse_ens", EXAMPLE)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    tiny = "--size IAPR-TC12 --shrink 100 --seconds 0.01 --warp-seconds 0.01 --factors 4 --losses hinge"
    monkeypatch.setattr("sys.argv", ["vse_ens.py", *words, *tiny.split()])
    example.main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(example.SAMPLERS)
    assert "1.0 (1.0)" in lines[2]
