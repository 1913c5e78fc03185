"""Merge the changes that several workers made to their copies of the same tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vsenumba.training.adamw import FIRST, SECOND
from vsenumba.training.annotation.inputs.features import LAYERS


def merged(shared: Mapping[str, Any], moved: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Merge the changes of a round of turns into the shared tables and the optimiser's sums.

    Parameters
    ----------
    shared : mapping
        ``{"tables": ..., "sums": ...}`` before the round, and optionally the ``"records"`` of earlier rounds.
    moved : sequence of mappings
        The changes of each turn by table, and its record; see `vsenumba.cluster.turn.train_turn`.

    Returns
    -------
    dict
        The new ``"tables"``, ``"sums"`` and ``"records"``.
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
    """Merge the changes of a table whose rows are trained one by one.

    With n moves d of a row, the squared length that two moves have in common is, on average over all pairs,
    ``c = (|Σd|² - Σ|d|²) / (n(n - 1))``. As a share of the squared length of a move, this is ``a = c / (Σ|d|² / n)``.
    The row is moved by ``Σd / (1 + (n - 1) a)``. If the moves have nothing in common, this is their sum. If they are
    the same, it is their mean, because a sum would correct the same error n times. See docs/explanation/cluster.md.

    A turn knows only its own growth g of Adagrad's sum G. With the growth of all turns, its learning rate 1/√G would
    have been smaller by the factor √((G + Σg / n) / (G + Σg)), so each move is multiplied by this factor.
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
    # This is (n - 1) a, where a is the share that the moves have in common.
    excess = np.divide(common, squares, out=np.zeros(len(table)), where=squares > 0)
    by /= (1 + excess)[:, None]
    if len(sums):
        by *= np.sqrt((sums + grown / n) / (sums + grown))[:, None]
    return (table + by).astype(np.float32), (sums + grown).astype(np.float32)


def _averaged(table: np.ndarray, sums: np.ndarray, changes: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Merge the changes of a layer that AdamW trains: move it by the mean of the turns' moves.

    AdamW divides the mean gradient by the root of the mean square, which includes noise. The mean gradient of n turns
    has less noise than that of one turn. So what a turn adds to the mean square is multiplied by
    ``(1 + (n - 1) a) / n``, where ``a`` is the share that the turns' gradients have in common, as in `_summed`.
    docs/explanation/cluster.md compares both ways.
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
        # The part of the first moment that was added during the turn.
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
