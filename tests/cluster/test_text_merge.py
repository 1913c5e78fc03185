"""Merging turns on text: as if the workers had trained one after the other."""

from __future__ import annotations

import numpy as np
import pytest

import vsenumba as vse
from vsenumba.cluster.merge import merged
from vsenumba.cluster.text_merge import OUTPUTS, WORDS, merged_text
from vsenumba.cluster.text_turn import text_settings_of
from vsenumba.cluster.turn import changes_of
from vsenumba.training.text import as_architecture
from vsenumba.training.text.task import text_task

W, K = 6, 3


def a_task(optimiser="sgd", sampler="popularity"):
    return text_task(
        np.array([90, 40, 5, 2, 2, 1]), 10, architecture=as_architecture("skipgram"),
        sampler=vse.PopularitySampler() if sampler == "popularity" else vse.AdaptiveSampler(),
        optimiser=vse.training.optimisers.as_optimiser(optimiser), window=2, subsample=0, n_negatives=5,
        draws_per=None, n_draws=None,
    )  # fmt: skip


def a_round(rng, task, n_turns, n_pairs, rows=range(W), length=0.1):
    shared = {
        "tables": {name: rng.normal(size=(W, K)).astype(np.float32) for name in (WORDS, OUTPUTS)},
        "sums": {name: task.optimiser.fresh_sums(W) for name in (WORDS, OUTPUTS)},
    }
    moved = []
    for _ in range(n_turns):
        tables = {name: table.copy() for name, table in shared["tables"].items()}
        sums = {name: one.copy() for name, one in shared["sums"].items()}
        for name in tables:
            tables[name][rows] += length * rng.normal(size=(len(rows), K)).astype(np.float32)
            if len(sums[name]):
                sums[name][rows] += 0.5
        moved.append({"changes": changes_of(shared, tables, sums), "record": {"steps": n_pairs}})
    of_words = {"counts": task.counts, "keep": task.keep}
    return shared, moved, (text_settings_of(task), of_words)


def by_hand(shared, moved, task, rate):
    """Return what is merged, row by row and direction by direction, in double precision."""
    n_pairs = np.mean([one["record"]["steps"] for one in moved])
    share = task.counts / task.counts.sum()
    law = task.counts**0.75 / (task.counts**0.75).sum()
    pairs = {WORDS: n_pairs * share * 6, OUTPUTS: n_pairs * (share + 5 * law)}
    slopes, found, n = {WORDS: 0.3, OUTPUTS: 0.06}, {}, len(moved)
    for name, other in ((WORDS, OUTPUTS), (OUTPUTS, WORDS)):
        there = shared["tables"][other].astype(float)
        for one in moved:
            there[one["changes"][other]["rows"]] += one["changes"][other]["by"] / n
        second = sum(w / pairs[other].sum() * np.outer(v, v) for w, v in zip(pairs[other], there, strict=True))
        squares, directions = np.linalg.eigh(second)
        table = shared["tables"][name].astype(float)
        for row in range(W):
            moves = [one["changes"][name]["by"][row].astype(float) for one in moved]
            for square, direction in zip(squares, directions.T, strict=True):
                mended = 1 - np.exp(-rate * slopes[name] * pairs[name][row] * square)
                together = 1 - (1 - mended) ** n
                table[row] += direction * (direction @ np.mean(moves, axis=0)) * together / mended
        found[name] = table
    return found


@pytest.mark.parametrize("n_turns", [2, 5])
def test_moves_mend_what_workers_would_one_after_the_other(n_turns):
    task = a_task()
    shared, moved, said = a_round(np.random.default_rng(n_turns), task, n_turns, 300)
    found = merged_text(shared, moved, *said, 0.05)
    for name, table in by_hand(shared, moved, task, 0.05).items():
        assert found["tables"][name] == pytest.approx(table, abs=1e-3), name
    assert found["records"] == [{"steps": 300}] * n_turns


def test_moves_of_few_pairs_add_up_and_those_of_many_are_averaged():
    task = a_task()
    shared, moved, said = a_round(np.random.default_rng(0), task, 3, 1)
    for n_pairs, rate, share in ((1, 1e-6, 1), (1e9, 1, 1 / 3)):
        for one in moved:
            one["record"]["steps"] = n_pairs
        found = merged_text(shared, moved, *said, rate)
        for name, table in shared["tables"].items():
            by = sum(one["changes"][name]["by"] for one in moved)
            assert found["tables"][name] == pytest.approx(table + share * by, abs=1e-5), name


def test_a_row_that_one_worker_moved_is_taken_as_it_is():
    """In a dictionary a word may stand on one page only: an eighth of its move was taken."""
    task = a_task()
    shared, moved, said = a_round(np.random.default_rng(0), task, 2, 1e6)
    for name in shared["tables"]:
        change = moved[1]["changes"][name]
        moved[1]["changes"][name] = {"rows": change["rows"][1:], "by": change["by"][1:], "sums_by": change["sums_by"]}
    found = merged_text(shared, moved, *said, 0.05)
    for name, table in shared["tables"].items():
        assert found["tables"][name][0] == pytest.approx(table[0] + moved[0]["changes"][name]["by"][0]), name


def test_one_turn_is_taken_as_it_is():
    task = a_task()
    shared, moved, said = a_round(np.random.default_rng(0), task, 1, 100)
    expected = merged(shared, moved)
    found = merged_text(shared, moved, *said, 0.05)
    for name, table in expected["tables"].items():
        assert np.array_equal(found["tables"][name], table), name


def test_the_sums_of_adagrad_add_up_and_slow_moves_down():
    task = a_task("adagrad")
    shared, moved, said = a_round(np.random.default_rng(0), task, 2, 1)
    found = merged_text(shared, moved, *said, 1e-6)
    for name, table in shared["tables"].items():
        assert found["sums"][name] == pytest.approx(shared["sums"][name] + 1)
        by = sum(one["changes"][name]["by"] for one in moved)
        assert found["tables"][name] == pytest.approx(table + by * np.sqrt(0.6 / 1.1), abs=1e-5), name


def test_a_law_that_hangs_on_vectors_and_what_nothing_moved():
    task = a_task(sampler="adaptive")
    shared, moved, said = a_round(np.random.default_rng(0), task, 2, 100, rows=[0, 3])
    moved.append({"changes": {}, "record": {}})
    found = merged_text(shared, moved, *said, 0.05)
    for name, table in shared["tables"].items():
        assert np.isfinite(found["tables"][name]).all()
        assert np.array_equal(found["tables"][name][[1, 2, 4, 5]], table[[1, 2, 4, 5]]), name
