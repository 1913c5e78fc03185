"""A worker's turn on text: train on some sentences with a copy of the tables, and return the changes.

This module does not use Dask; see `vsenumba.cluster.turn`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vsenumba.cluster.members import check_members
from vsenumba.cluster.turn import changes_of
from vsenumba.data.text.corpus import Corpus
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.kernels.random import spawned
from vsenumba.samplers import as_sampler
from vsenumba.training.optimisers import as_optimiser
from vsenumba.training.text import as_architecture
from vsenumba.training.text.host import HostTextDevice
from vsenumba.training.text.task import TextTask
from vsenumba.training.text.trainer import TextTrainer

_NUMBERS = ("longest", "window", "n_negatives", "draws_per", "n_draws")


def text_settings_of(task: TextTask) -> str:
    """Return the settings of a task as JSON, without the counts of the words.

    Raises
    ------
    InputError
        If the class of the architecture, the sampler or the optimiser is not part of the package.
    """
    check_members({as_architecture: task.architecture, as_sampler: task.sampler, as_optimiser: task.optimiser})
    members = {
        "architecture": as_architecture.to_json(task.architecture),
        "sampler": as_sampler.to_json(task.sampler),
        "optimiser": as_optimiser.to_json(task.optimiser),
    }
    return json.dumps(members | {name: int(getattr(task, name)) for name in _NUMBERS})


def text_task_of(settings: str, of_words: Mapping[str, np.ndarray]) -> TextTask:
    """Return a task from its settings; `of_words` has the ``"counts"`` of the words in the whole text, and ``"keep"``.

    See `vsenumba.training.text.task.TextTask` for both.
    """
    said = json.loads(settings)
    return TextTask(
        # Arrays from another process are read-only; without copies, Numba would compile the kernel once more for them.
        counts=np.array(of_words["counts"]),
        keep=np.array(of_words["keep"]),
        architecture=as_architecture.from_json(said["architecture"]),
        sampler=as_sampler.from_json(said["sampler"]),
        optimiser=as_optimiser.from_json(said["optimiser"]),
        **{name: said[name] for name in _NUMBERS},
    )


def text_part(corpus: Corpus, first: int, last: int) -> dict[str, np.ndarray]:
    """Return the tokens of the sentences first..last-1, and their offsets among these tokens."""
    offsets = np.array(corpus.offsets[first : last + 1])
    return {"tokens": np.array(corpus.tokens[offsets[0] : offsets[-1]]), "offsets": offsets - offsets[0]}


def train_text_turn(
    part: Mapping[str, np.ndarray],
    shared: Mapping[str, Mapping[str, np.ndarray]],
    settings: str,
    of_words: Mapping[str, np.ndarray],
    seed: Mapping[str, Any],
    epoch: int,
    rates: Sequence[float],
    n_threads: int | None,
) -> dict[str, Any]:
    """Train once on the sentences of a part.

    Parameters
    ----------
    part : mapping
        The result of `text_part`.
    shared : mapping
        ``{"tables": ..., "sums": ...}``: the tables, and the optimiser's sums of each. They are not changed.
    settings : str
        The settings of the task as JSON; see `text_task_of`.
    of_words : mapping
        The counts of the words; see `text_task_of`.
    seed : mapping
        The part's random seed, ``{"entropy": ..., "key": ...}``.
    epoch : int
        The epoch, which is part of the random seed.
    rates : sequence of float
        The learning rates at evenly spaced points from the start of the turn to its end.
    n_threads : int or None
        The number of threads; None for all.

    Returns
    -------
    dict
        The changes and the record, for `vsenumba.cluster.text_merge.merged_text`.
    """
    n_words = len(of_words["counts"])
    corpus = Corpus(part["tokens"], part["offsets"], Vocabulary.numbered(n_words, "word"), of_words["counts"])
    tables = {name: np.array(table) for name, table in shared["tables"].items()}
    sums = {name: np.array(one) for name, one in shared["sums"].items()}
    record: dict[str, float] = {}
    if corpus.n_tokens:
        task = text_task_of(settings, of_words)
        seeds = spawned(np.random.SeedSequence(seed["entropy"]), *seed["key"])
        trainer = TextTrainer(corpus, None, task, HostTextDevice(task, n_threads), tables, sums, seeds)
        places = np.linspace(0, 1, len(rates))
        record = trainer.run_epoch(epoch, lambda done: float(np.interp(done, places, rates)))
    return {"changes": changes_of(shared, tables, sums), "record": record}
