"""Merge the changes that several workers made to the tables of word vectors; see docs/explanation/cluster.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vsenumba.cluster.text_turn import text_task_of
from vsenumba.training.text.task import TextTask

WORDS, OUTPUTS = "word_factors", "output_factors"

# The slope h of the logistic function where most scores lie. Both values were chosen by the accuracy with eight workers
# on GCIDE; docs/explanation/cluster.md has the measurements and their limits.
_SLOPES = {WORDS: 0.3, OUTPUTS: 0.06}

# If the turns together correct less than this share of a row's error, their moves are added up, without the costly
# rotation.
_LITTLE = 0.02

# If the sampler's law depends on the vectors, it is computed for this number of words.
_N_VECTORS = 16


def merged_text(
    shared: Mapping[str, Any],
    moved: Sequence[Mapping[str, Any]],
    settings: str,
    of_words: Mapping[str, np.ndarray],
    rate: float,
) -> dict[str, Any]:
    """Merge the changes of a round of turns as if the workers had trained one after another.

    The second of two such workers would find less to correct than the first. In a turn, a row is trained on T pairs.
    In the direction d, the curvature of the loss is h λ, where λ is the mean square of the other table's vectors in
    this direction. So one turn corrects the share ``s = 1 - exp(-rate T h λ)`` of the error, and n workers one after
    another correct ``1 - (1 - s)^n``. In this direction, the mean of the n moves is therefore multiplied by
    ``(1 - (1 - s)^n) / s``. The factor lies between n (for rare words, and for directions without vectors in the other
    table) and 1 (for frequent words). docs/explanation/cluster.md compares this with other ways of merging.

    Parameters
    ----------
    shared, moved
        As in `vsenumba.cluster.merge.merged`.
    settings : str
        The settings of the task as JSON; see `text_task_of`.
    of_words : mapping
        The counts of the words; see `text_task_of`.
    rate : float
        The learning rate of the round.

    Returns
    -------
    dict
        The new ``"tables"``, ``"sums"`` and ``"records"``.
    """
    tables, sums = dict(shared["tables"]), dict(shared["sums"])
    records = [*shared.get("records", []), *(one["record"] for one in moved)]
    added = {name: _added(tables[name], sums[name], moved, name) for name in (WORDS, OUTPUTS)}
    if len(moved) == 1:
        tables = {name: table + added[name][0] for name, table in tables.items()}
        sums = {name: (one + added[name][2]).astype(np.float32) for name, one in sums.items()}
        return {"tables": tables, "sums": sums, "records": records}
    task = text_task_of(settings, of_words)
    pairs = _pairs_of_rows(task, tables, float(np.mean([one["record"].get("steps", 0) for one in moved])))
    # About as each worker has them at the end of its turn.
    ends = {name: tables[name] + by / np.float32(len(moved)) for name, (by, _, _) in added.items()}
    for name, other in ((WORDS, OUTPUTS), (OUTPUTS, WORDS)):
        by, movers, grown = added[name]
        weights = (pairs[other] / max(pairs[other].sum(), 1e-30)).astype(np.float32)
        squares, directions = np.linalg.eigh((ends[other] * weights[:, None]).T @ ends[other])
        steepness = (rate * _SLOPES[name] * len(moved) * pairs[name] / movers).astype(np.float32)
        if len(grown):
            # Scale to the learning rate that Adagrad would have used if each worker had known the growth on the others.
            whole = sums[name] + grown
            by *= np.sqrt((sums[name] + grown / movers) / whole).astype(np.float32)[:, None]
            steepness /= np.sqrt(whole).astype(np.float32)
            sums[name] = whole.astype(np.float32)
        steep = (steepness * squares[-1] > _LITTLE / movers) & (movers > 1)
        turned = by[steep] @ directions
        turned *= _share_of_sum(steepness[steep, None] * np.maximum(squares, 0), movers[steep, None])
        by[steep] = turned @ directions.T
        tables[name] = tables[name] + by
    return {"tables": tables, "sums": sums, "records": records}


def _added(
    table: np.ndarray, sums: np.ndarray, moved: Sequence[Mapping[str, Any]], name: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return, for each row, the sum of its moves, how many turns moved it (at least 1), and how much its sum grew."""
    by, movers, grown = np.zeros_like(table), np.zeros(len(table), np.float32), np.zeros(len(sums))
    for one in moved:
        change = one["changes"].get(name)
        if change is not None:
            by[change["rows"]] += change["by"]
            movers[change["rows"]] += 1
            if len(sums):
                grown[change["rows"]] += change["sums_by"]
    return by, np.maximum(movers, np.float32(1)), grown


def _pairs_of_rows(task: TextTask, tables: Mapping[str, np.ndarray], n_pairs: float) -> dict[str, np.ndarray]:
    """Return how many pairs each row of both tables is trained on, negatives included, in `n_pairs` positive pairs."""
    kept = task.counts * (task.keep / 2.0**32)
    positives = n_pairs * kept / max(kept.sum(), 1e-30)
    vectors = np.zeros((1, tables[WORDS].shape[1]), np.float32)
    if task.sampler.by_vector:
        # Take the vectors of words at evenly spaced places of the text.
        places = (np.arange(_N_VECTORS) + 0.5) / _N_VECTORS * kept.sum()
        vectors = tables[WORDS][np.searchsorted(np.cumsum(kept), places)]
    law = task.sampler.law(vectors, tables[OUTPUTS], label_counts=task.counts).mean(axis=0)
    negatives = n_pairs * task.n_negatives * law
    return {WORDS: positives * (1 + task.n_negatives), OUTPUTS: positives + negatives}


def _share_of_sum(steepness: np.ndarray, movers: np.ndarray) -> np.ndarray:
    """Return the factor for the sum of n moves if each of them corrects ``1 - exp(-steepness)`` of the error.

    Each move leaves the share ``left`` of the error to the next, so together they correct
    ``1 + left + ... + left^(n - 1)`` times as much as the first.
    """
    left = np.exp(-steepness)
    power, total = np.ones_like(left), np.ones_like(left)
    for number in range(1, int(movers.max(initial=1))):
        power *= left
        total += power if number < movers.min() else power * (number < movers)
    return total / movers
