"""Merging what turns have changed, against a plain loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsenumba.cluster.merge import merged
from vsenumba.cluster.turn import change_of


def turned(rng, table, sums, n_moved):
    """Return a table and its sums after a turn that moves some rows."""
    table, sums = table.copy(), sums.copy()
    rows = rng.permutation(len(table))[:n_moved]
    table[rows] += rng.normal(size=(len(rows), table.shape[1])).astype(np.float32)
    if len(sums):
        sums[rows] += rng.random(len(rows)).astype(np.float32)
    return table, sums


def moved(name, table, sums, after, **record):
    return {"changes": {name: change_of(table, after[0], sums, after[1])}, "record": record}


@given(
    seed=st.integers(0, 999), n_turns=st.integers(1, 4), n_rows=st.integers(1, 6), k=st.integers(1, 3),
    adagrad=st.booleans(),
)  # fmt: skip
def test_rows_are_moved_by_all_as_if_each_had_known_of_the_others(seed, n_turns, n_rows, k, adagrad):
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(n_rows, k)).astype(np.float32)
    sums = (0.1 + rng.random(n_rows)).astype(np.float32) if adagrad else np.zeros(0, np.float32)
    afters = [turned(rng, table, sums, rng.integers(0, n_rows + 1)) for _ in range(n_turns)]
    found = merged(
        {"tables": {"label_factors": table}, "sums": {"label_factors": sums}, "records": [0]},
        [moved("label_factors", table, sums, after, steps=i) for i, after in enumerate(afters)],
    )
    assert found["records"] == [0, *({"steps": i} for i in range(n_turns))]
    for row in range(n_rows):
        movers = [after for after in afters if (after[0][row] != table[row]).any()]
        moves = [(after[0][row] - table[row]).astype(float) for after in movers]
        by, n = sum(moves, np.zeros(k)), len(moves)
        if n > 1:
            pairs = [(a, b) for i, a in enumerate(moves) for j, b in enumerate(moves) if i != j]
            common = max(np.mean([a @ b for a, b in pairs]), 0) / np.mean([a @ a for a in moves])
            by /= 1 + (n - 1) * common
        if adagrad:
            grown = sum(float(after[1][row]) - float(sums[row]) for after in movers)
            by *= np.sqrt((sums[row] + grown / max(len(movers), 1)) / (sums[row] + grown))
            assert found["sums"]["label_factors"][row] == pytest.approx(sums[row] + grown, rel=1e-5)
        assert found["tables"]["label_factors"][row] == pytest.approx(table[row] + by, rel=1e-4, abs=1e-5)


def test_moves_that_agree_are_taken_once_and_others_add_up():
    """Eight workers that see one fault would mend it eight times: with hard negatives, MRR fell from .27 to .17."""
    table, sums = np.zeros((2, 2), np.float32), np.zeros(0, np.float32)
    right, up = np.array([[1, 0], [1, 0]], np.float32), np.array([[1, 0], [0, 1]], np.float32)
    found = merged(
        {"tables": {"a": table}, "sums": {"a": sums}},
        [moved("a", table, sums, (after, sums)) for after in (right, up)],
    )
    assert found["tables"]["a"] == pytest.approx(np.array([[1, 0], [1, 1]]))


def test_a_turn_alone_is_taken_as_it_is():
    rng = np.random.default_rng(0)
    table, sums = rng.normal(size=(5, 3)).astype(np.float32), np.ones(5, np.float32)
    after = turned(rng, table, sums, 3)
    found = merged({"tables": {"a": table}, "sums": {"a": sums}}, [moved("a", table, sums, after)])
    assert found["tables"]["a"] == pytest.approx(after[0], abs=1e-6)
    assert found["sums"]["a"] == pytest.approx(after[1])


def test_layers_of_a_network_are_the_mean_of_the_turns():
    rng = np.random.default_rng(0)
    name, layer, moments = "feature_weights", np.ones((2, 3), np.float32), np.zeros(13, np.float32)
    afters = [(layer + rng.normal(size=(2, 3)).astype(np.float32), moments + i) for i in (2, 4)]
    found = merged(
        {"tables": {name: layer}, "sums": {name: moments}}, [moved(name, layer, moments, after) for after in afters]
    )
    assert found["tables"][name] == pytest.approx((afters[0][0] + afters[1][0]) / 2, abs=1e-6)
    assert found["sums"][name] == pytest.approx(np.full(13, 3.0))


def test_what_nothing_moved_stays():
    tables = {"tables": {"a": np.ones((2, 2), np.float32)}, "sums": {"a": np.ones(2, np.float32)}}
    found = merged(tables, [{"changes": {}, "record": {}}])
    assert found["tables"]["a"] is tables["tables"]["a"]
