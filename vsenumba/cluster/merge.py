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
    """Add up what rows were moved by, each at the rate it would have had if its mover had known of the others' moves.

    With one sum a row, G, Adagrad moves a row at a rate of 1/√G. Of n turns each has seen G grow by its own g only: if
    all had seen the growth of all, the rate would have been √((G + Σg/n) / (G + Σg)) of what it was.
    """
    by = np.zeros(table.shape, np.float64)
    movers = np.zeros(len(table), np.int64)
    grown = np.zeros(len(sums), np.float64)
    for change in changes:
        by[change["rows"]] += change["by"]
        movers[change["rows"]] += 1
        if len(sums):
            grown[change["rows"]] += change["sums_by"]
    if len(sums):
        of_one = sums + grown / np.maximum(movers, 1)
        by *= np.sqrt(of_one / (sums + grown))[:, None]
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
