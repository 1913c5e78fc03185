"""Merging what several workers have changed in their copies of the tables of words; see ``docs/how-to/cluster.md``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vsenumba.cluster.text_turn import text_task_of
from vsenumba.training.text.task import TextTask

WORDS, OUTPUTS = "word_factors", "output_factors"

# The slope of the logistic function where scores mostly lie: chosen by what eight workers learnt
# (docs/how-to/cluster.md).
_SLOPES = {WORDS: 0.3, OUTPUTS: 0.06}

# Rows are only turned where a worker mends more than this share of what several would.
_LITTLE = 0.02

# A law that hangs on vectors is looked at for so many words.
_N_VECTORS = 16


def merged_text(
    shared: Mapping[str, Any],
    moved: Sequence[Mapping[str, Any]],
    settings: str,
    of_words: Mapping[str, np.ndarray],
    rate: float,
) -> dict[str, Any]:
    """Return the tables, and the optimiser's sums of them, after a round of turns.

    Had the workers trained one after the other, the second would have found less to mend than the first. In a turn a
    row sees T pairs of a loss whose curvature in the direction d is h λ, where λ is the mean square of the other
    table's vectors in it. A share ``s = 1 - exp(-rate T h λ)`` of what is wrong there is mended, and by n workers
    ``1 - (1 - s)^n``. So the mean of n moves is taken ``(1 - (1 - s)^n) / s`` times in the direction: n times where
    words are rare, and where the other table has nothing; once for frequent words in the directions that all share.

    Parameters
    ----------
    shared, moved
        As for `vsenumba.cluster.merge.merged`.
    settings, of_words : str, mapping
        What was trained; see `text_task_of`.
    rate : float
        The learning rate of the round.
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
    # As a worker has them at the end of its turn, or near to that.
    ends = {name: tables[name] + by / np.float32(len(moved)) for name, (by, _, _) in added.items()}
    for name, other in ((WORDS, OUTPUTS), (OUTPUTS, WORDS)):
        by, movers, grown = added[name]
        weights = (pairs[other] / max(pairs[other].sum(), 1e-30)).astype(np.float32)
        squares, directions = np.linalg.eigh((ends[other] * weights[:, None]).T @ ends[other])
        steepness = (rate * _SLOPES[name] * len(moved) * pairs[name] / movers).astype(np.float32)
        if len(grown):
            # Adagrad's rate, and what it would have been had a worker known of the others' growth.
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
    """Return by what the turns moved each row together, how many did, at least 1, and how the sums grew."""
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
    """Return how many pairs, negative ones among them, each row of the two tables sees of so many positive ones."""
    kept = task.counts * (task.keep / 2.0**32)
    positives = n_pairs * kept / max(kept.sum(), 1e-30)
    vectors = np.zeros((1, tables[WORDS].shape[1]), np.float32)
    if task.sampler.by_vector:
        # Those of the words at even places of the text.
        places = (np.arange(_N_VECTORS) + 0.5) / _N_VECTORS * kept.sum()
        vectors = tables[WORDS][np.searchsorted(np.cumsum(kept), places)]
    law = task.sampler.law(vectors, tables[OUTPUTS], label_counts=task.counts).mean(axis=0)
    negatives = n_pairs * task.n_negatives * law
    return {WORDS: positives * (1 + task.n_negatives), OUTPUTS: positives + negatives}


def _share_of_sum(steepness: np.ndarray, movers: np.ndarray) -> np.ndarray:
    """Return what is to be taken of the sum of n moves, each of which mends ``1 - exp(-steepness)`` of a fault.

    What a move leaves is left to the next: they mend ``1 + left + ... + left^(n - 1)`` times what the first does.
    """
    left = np.exp(-steepness)
    power, total = np.ones_like(left), np.ones_like(left)
    for number in range(1, int(movers.max(initial=1))):
        power *= left
        total += power if number < movers.min() else power * (number < movers)
    return total / movers
