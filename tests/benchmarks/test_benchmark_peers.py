"""The comparison with the peers runs on tiny data; a peer that is not installed is skipped, and named to who asks."""

from __future__ import annotations

import json

import pytest

import vsenumba as vse


@pytest.fixture(scope="module")
def tiny_set(tmp_path_factory):
    path = tmp_path_factory.mktemp("sets") / "tiny.h5"
    vse.synthetic(20, 10, 60, rng=0).save(path)
    return str(path)


def results_of(benchmark, tiny_set, folder, methods, seeds=1):
    tiny = ["--threads", "1", "--seeds", str(seeds), "--grid", "2", "--out", str(folder)]
    benchmark("peers").main(["--data", tiny_set, *tiny, "--methods", *methods])
    (results,) = json.loads((folder / "peers.json").read_text())["results"].values()
    assert {*results} == {*methods}
    for result in results.values():
        assert [run["seed"] for run in result["runs"]] == [*range(seeds)]
        assert all(0 < mrr <= 1 for mrr in result["best"])
        for run in result["runs"]:
            seconds = [point["seconds"] for point in run["points"]]
            assert seconds[0] > 0
            assert seconds == sorted(seconds)
    assert (folder / "peers.png").stat().st_size > 1000
    return results


def test_ours(benchmark, tmp_path, tiny_set, capsys):
    ours = ["vsenumba ids, adaptive", "vsenumba labels, 128 factors"]
    assert {*ours} <= {*benchmark("peer_methods").OURS}
    results = results_of(benchmark, tiny_set, tmp_path, ours)
    assert all(len(result["runs"][0]["points"]) > 1 for result in results.values())
    assert "best MRR" in capsys.readouterr().out


def test_what_is_solved_at_once(benchmark, tmp_path, tiny_set, capsys):
    results = results_of(benchmark, tiny_set, tmp_path, ["popularity", "EASE"], seeds=2)
    assert [results[name]["n_configurations"] for name in ("popularity", "EASE")] == [1, 2]
    assert all(len(run["points"]) == 1 for result in results.values() for run in result["runs"])
    jobs = [line.rpartition("  ")[0] for line in capsys.readouterr().err.splitlines()]
    # Seed 0 of all comes before seed 1 of any.
    assert jobs == ["search  EASE", "seed 0  popularity", "seed 0  EASE", "seed 1  popularity", "seed 1  EASE"]


@pytest.mark.parametrize("method", ["LightFM WARP", "LightFM BPR", "implicit BPR", "implicit ALS"])
def test_peers(benchmark, tmp_path, tiny_set, method):
    methods = benchmark("peer_methods").METHODS
    pytest.importorskip(methods[method].needs, reason='a peer; pip install "vsenumba[bench]"')
    results_of(benchmark, tiny_set, tmp_path, [method])


def test_a_missing_peer_is_named(benchmark, tmp_path, tiny_set, monkeypatch, capsys):
    monkeypatch.setattr(benchmark("peer_methods").METHODS["EASE"], "needs", "no_such_module", raising=False)
    with pytest.raises(SystemExit) as stopped:
        benchmark("peers").main(["--data", tiny_set, "--methods", "EASE", "popularity", "--out", str(tmp_path)])
    assert stopped.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "EASE" in line
    assert "popularity" not in line
    assert 'pip install "vsenumba[bench]"' in line
    assert not [*tmp_path.iterdir()]


def test_times_are_paired_by_seed(benchmark):
    report = benchmark("peer_report")

    def run(curve):
        points = [{"epoch": e, "seconds": s, "choosing": m, "mrr": m} for e, (s, m) in enumerate(curve, 1)]
        return {"steps": 1e6, "peak_mb": 3.0, "before_mb": 1.0, "points": points}

    ours = next(iter(report.OURS))
    results = {
        report.WARP: {"runs": [run([(4, 0.3), (6, 0.499), (8, 0.5)]), run([(4, 0.5), (6, 0.4), (8, 0.4)])]},
        ours: {"runs": [run([(1, 0.4), (2, 0.497), (4, 0.6)]), run([(1, 0.3), (2, 0.4), (4, 0.45)])]},
    }
    report.summarise(results)
    assert results[report.WARP]["best_epoch"] == [3, 1]
    assert results[report.WARP]["seconds"] == [8, 4]
    speed = results[ours]["against"][report.WARP]
    assert speed["100%"] == {"seconds": [4, None], "times_as_fast": [2, None]}
    # 99 % of .5 is .495, at which LightFM is after 6 seconds.
    assert speed["99%"]["times_as_fast"] == [3, None]
    assert results[ours]["training_mb"] == [2, 2]
    assert "1 of 2 seeds" in report.speed_table(results)
