"""Train word vectors: launches, refreshes of the sampler, the falling learning rate, and counts."""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping

import numpy as np

from vsenumba.data.text.corpus import Corpus
from vsenumba.kernels.gate import admit, below, segments
from vsenumba.kernels.random import spawned
from vsenumba.storage import release_pages
from vsenumba.training.divergence import check_finite
from vsenumba.training.run import Trainer
from vsenumba.training.text.device import TextDevice
from vsenumba.training.text.tally import (
    DRAWS,
    GRADIENT,
    KEPT,
    LOSS,
    NEGATIVES,
    SKIPPED,
    STEPS,
    TALLY_COLUMNS,
    TRIALS,
)
from vsenumba.training.text.task import TextTask

_TABLES = ("word_factors", "output_factors")

# The least number of launches per epoch, for a text with enough tokens. After each launch the learning rate falls, and
# Python can be interrupted.
_LEAST_LAUNCHES = 20

# A sampler may be refreshed less often in later epochs. There, an epoch of text counts as this number of epochs. At the
# pace of the first epoch, sorting took a third of the time, and more with 300 factors. With twice this number, vectors
# were slightly worse (similarities by .007, two seeds, a one-off measurement).
_EPOCHS_OF_TEXT = 6


class TextTrainer(Trainer):
    """Train word vectors on a corpus.

    Parameters
    ----------
    corpus : Corpus
        The text.
    rows : (corpus.n_words,) int32 array or None
        The table row of each word in the corpus; None if it is the number of the word.
    task : TextTask
        The settings of the training.
    device : TextDevice
        The device, made for the same task.
    tables, sums : mapping from str to array
        ``"word_factors"`` and ``"output_factors"``, (W, k) float32, and the optimiser's sums of each. They are changed
        in place. A read-only array is replaced by a copy.
    seeds : numpy.random.SeedSequence
        The random seed. Epoch e uses ``SeedSequence(seeds.entropy, spawn_key=(e,))``.
    """

    def __init__(
        self,
        corpus: Corpus,
        rows: np.ndarray | None,
        task: TextTask,
        device: TextDevice,
        tables: MutableMapping[str, np.ndarray],
        sums: MutableMapping[str, np.ndarray],
        seeds: np.random.SeedSequence,
    ) -> None:
        self.steps = 0
        self.seconds = 0.0
        self._corpus = corpus
        self._rows = rows
        self._task = task
        self._device = device
        self._tables = tables
        self._seeds = seeds
        check_text_tables(task, tables, sums)
        device.put(tables, sums)
        # Compile the kernels, or load them from the cache, before the clock starts.
        device.seed(seeds)
        device.refresh()
        self._launch(0, 0, 0.0)

    def run_epoch(
        self, epoch: int, rate_at: Callable[[float], float], progress: Callable[[float], object] = lambda done: None
    ) -> dict[str, float]:
        """Train one epoch at a learning rate that changes with every launch; see `vsenumba.training.run.Trainer`."""
        started = time.perf_counter()
        device, offsets = self._device, self._corpus.offsets
        device.seed(spawned(self._seeds, epoch))
        device.refresh()
        refreshes, drawn_before, tally = 1, 0.0, np.zeros(TALLY_COLUMNS)
        interval = self._task.sampler.refresh_interval(len(self._task.counts), _EPOCHS_OF_TEXT * epoch)
        n_tokens = self._corpus.n_tokens
        launch = max(min(device.tokens_per_launch, n_tokens // _LEAST_LAUNCHES), 1)
        first, done, rate, highest = 0, 0, 0.0, 0.0
        while done < n_tokens:
            if interval is not None and tally[DRAWS] - drawn_before >= interval:
                device.refresh()
                refreshes, drawn_before = refreshes + 1, tally[DRAWS]
            last = max(int(np.searchsorted(offsets, done + launch, side="right")) - 1, first + 1)
            rate = rate_at(done / n_tokens)
            highest = max(highest, rate)
            self._launch(first, last, rate)
            tally += device.tally()
            first, done = last, int(offsets[last])
            progress(done / n_tokens)
        device.fetch()
        self.seconds += time.perf_counter() - started
        check_finite(self._tables, epoch, highest)
        return self._record(epoch, tally, rate, 0 if interval is None else refreshes)

    def _launch(self, first: int, last: int, rate: float) -> None:
        """Train on the sentences first..last-1."""
        # A mapped file is read-only; without copies, Numba would compile the kernel once more for it.
        offsets = np.array(self._corpus.offsets[first : last + 1])
        tokens = np.array(self._corpus.tokens[offsets[0] : offsets[-1]])
        for mapped in (self._corpus.tokens, self._corpus.offsets):
            release_pages(mapped)
        tokens = below("the text's tokens", tokens, len(self._task.counts if self._rows is None else self._rows))
        if self._rows is not None:
            tokens = self._rows[tokens]
        segments("the text's offsets", offsets - offsets[0], len(tokens), last - first)
        self._device.launch(tokens, offsets, rate)

    def _record(self, epoch: int, tally: np.ndarray, learning_rate: float, refreshes: int) -> dict[str, float]:
        steps = max(tally[STEPS], 1)
        self.steps += int(tally[STEPS])
        return {
            "epoch": epoch,
            "seconds": self.seconds,
            "steps": self.steps,
            "skipped": int(tally[SKIPPED]),
            "loss": float(tally[LOSS] / steps),
            "tokens": self._corpus.n_tokens,
            "kept": int(tally[KEPT]),
            "negative_gradient": float(tally[GRADIENT] / max(tally[NEGATIVES], 1)),
            "trials": float(tally[TRIALS] / max(tally[DRAWS], 1)),
            "refreshes": refreshes,
            "learning_rate": learning_rate,
        }


def check_text_tables(
    task: TextTask, tables: MutableMapping[str, np.ndarray], sums: MutableMapping[str, np.ndarray]
) -> None:
    """Check the tables and sums of a task, and replace read-only arrays by copies."""
    shape = len(task.counts), np.shape(tables["word_factors"])[-1]
    admit("tables_", tables, dict.fromkeys(_TABLES, shape))
    admit("the optimiser's sums", sums, dict.fromkeys(_TABLES, task.optimiser.fresh_sums(shape[0]).shape))
