"""The evaluation benchmark on tiny data, with the peers that there are and without; nothing is said of its times."""

from __future__ import annotations

import json

import pytest

import vsenumba as vse

TINY = "--planted 40 12 140 --threads 1 --factors 4 --epochs 1 --repeats 2"


@pytest.fixture
def evaluation(benchmark):
    return benchmark("evaluation")


def run(evaluation, folder, *arguments):
    evaluation.main([*arguments, *TINY.split(), "--out", str(folder)])
    return json.loads((folder / "evaluation.json").read_text())


def test_without_peers_ours_is_measured(evaluation, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(evaluation, "PEERS", {"no_such_peer": None})
    vse.synthetic(30, 10, 90, rng=1).save(tmp_path / "tiny.h5")
    results = run(evaluation, tmp_path, str(tmp_path / "tiny.h5"))["results"]
    assert [*results] == ["tiny", "planted"]
    for result in results.values():
        assert len(result["seconds"]) == 4
        assert all(len(seconds) == 2 for seconds in result["seconds"].values())
        assert result["bound_seconds"] > 0
    printed = capsys.readouterr().out
    assert 'no_such_peer is not installed and is left out: pip install ".[bench]"' in printed
    assert printed.count("| planted | vsenumba ids ") == 1


@pytest.mark.parametrize("peer", ["implicit", "lightfm"])
def test_a_peer_finds_what_we_find_in_the_same_factors(evaluation, tmp_path, monkeypatch, peer):
    pytest.importorskip(peer)
    monkeypatch.setattr(evaluation, "PEERS", {peer: evaluation.PEERS[peer]})
    result = run(evaluation, tmp_path)["results"]["planted"]
    (difference,) = result["largest_difference"].values()
    assert difference < 1e-6
