"""Merging what several workers have changed in their copies of the same tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vsenumba.training.annotation.inputs.features import LAYERS


def merged(shared: Mapping[str, Any], moved: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the tables that all parts train, and the optimiser's sums of them, after a round of turns.

    Parameters
    ----------
    shared : mapping
        ``{"tables": ..., "sums": ...}`` before the round, and the ``"records"`` of the rounds before.
    moved : sequence of mappings
        What each turn changed, by table, and its record; see `vsenumba.cluster.turn.train_turn`.
    """
    tables, sums = dict(shared["tables"]), dict(shared["sums"])
    for name in tables:
        found = [one["changes"][name] for one in moved if name in one["changes"]]
        if found and name in LAYERS:
            tables[name], sums[name] = _mean(tables[name], sums[name], found)
        elif found:
            tables[name], sums[name] = _summed(tables[name], sums[name], found)
    records = [*shared.get("records", []), *(one["record"] for one in moved)]
    return {"tables": tables, "sums": sums, "records": records}


def _summed(table: np.ndarray, sums: np.ndarray, changes: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Add up what rows were moved by, less of it where the turns agree.

    Where turns move a row in different directions, each has learnt something of its own, and the moves add up. Where
    all move it the same way they have seen the same fault, and each has mended it: their sum would go n times too far.
    With n moves d of a row, the squared length that they have in common is ``c = (|Σd|² - Σ|d|²) / (n(n - 1))``, a
    share ``a = c / (Σ|d|² / n)`` of a move's own, and the row is moved by ``Σd / (1 + (n - 1) a)``: the sum of moves
    that have nothing in common, the mean of those that are the same.

    Of Adagrad's sum G a turn has seen its own growth g only. Had it seen that of all, its rate of 1/√G would have been
    √((G + Σg / n) / (G + Σg)) of what it was.
    """
    by, squares = np.zeros(table.shape, np.float64), np.zeros(len(table))
    movers = np.zeros(len(table), np.int64)
    grown = np.zeros(len(sums), np.float64)
    for change in changes:
        rows, moves = change["rows"], change["by"].astype(np.float64)
        by[rows] += moves
        squares[rows] += (moves * moves).sum(axis=1)
        movers[rows] += 1
        if len(sums):
            grown[rows] += change["sums_by"]
    n = np.maximum(movers, 1)
    common = np.maximum((by * by).sum(axis=1) - squares, 0)
    # (n - 1) a, where a is the share that the moves have in common.
    excess = np.divide(common, squares, out=np.zeros(len(table)), where=squares > 0)
    by /= (1 + excess)[:, None]
    if len(sums):
        by *= np.sqrt((sums + grown / n) / (sums + grown))[:, None]
    return (table + by).astype(np.float32), (sums + grown).astype(np.float32)


def _mean(table: np.ndarray, sums: np.ndarray, changes: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Take the mean of the layers of a network, and of AdamW's moments of them, over the turns."""
    by = np.zeros(table.shape, np.float64)
    grown = np.zeros(len(sums), np.float64)
    for change in changes:
        by[change["rows"]] += change["by"]
        grown += change["sums_by"]
    n = len(changes)
    return (table + by / n).astype(np.float32), (sums + grown / n).astype(np.float32)
