"""Merging what several workers have changed in their copies of the same tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vsenumba.training.adamw import FIRST, SECOND
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
            tables[name], sums[name] = _averaged(tables[name], sums[name], found)
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


def _averaged(table: np.ndarray, sums: np.ndarray, changes: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Move the layers of a network by the mean of the turns' moves, as AdamW would along the mean of their gradients.

    AdamW divides a gradient's mean by the root of its mean square, noise and all, and a mean over n turns has less
    noise. With the share ``a`` that the turns' gradients have in common, as in `_summed`, what a turn adds to the mean
    square counts ``(1 + (n - 1) a) / n`` times.
    """
    n, size = len(changes), table.size
    first, second = sums[:size].astype(np.float64), sums[size:-1].astype(np.float64)
    by = np.zeros(table.shape, np.float64)
    gradients, squared_length = np.zeros(size), 0.0
    new_first, kept, taken_in, steps = np.zeros(size), np.zeros(size), np.zeros(size), 0.0
    for change in changes:
        by[change["rows"]] += change["by"]
        grown = change["sums_by"].astype(np.float64)
        n_steps = grown[-1]
        mine = first + grown[:size]
        # What the moving means took in during the turn.
        gradient = mine - FIRST**n_steps * first
        gradients += gradient
        squared_length += float(gradient @ gradient)
        new_first += mine / n
        kept += SECOND**n_steps * second / n
        taken_in += (second + grown[size:-1] - SECOND**n_steps * second) / n
        steps += n_steps / n
    excess = max(float(gradients @ gradients) / squared_length - 1, 0.0) if squared_length else 0.0
    new_second = kept + taken_in * (1 + excess) / n
    new_sums = np.concatenate([new_first, new_second, [sums[-1] + steps]])
    return (table + by / n).astype(np.float32), new_sums.astype(np.float32)
