"""The CPU as a device for word vectors: it trains with several threads and changes the tables in place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from vsenumba.kernels.aligned import aligned_empty
from vsenumba.kernels.random import counted_states
from vsenumba.kernels.threads import thread_count, threads
from vsenumba.training.text.epoch import WindowWork, run_launch
from vsenumba.training.text.step import LANES
from vsenumba.training.text.tally import TALLY_COLUMNS
from vsenumba.training.text.task import TextTask

N_SHARDS = 32

# The least work per thread. If another program uses a core, a launch on two threads would have to wait for that core.
_TOKENS_PER_THREAD = 2_000
_CELLS_PER_THREAD = 65_536


class HostTextDevice:
    """Train with the compiled loop of `vsenumba.training.text.epoch`; see `TextDevice`."""

    name: ClassVar[str] = "cpu"
    tokens_per_launch: ClassVar[int] = 400_000

    def __init__(self, task: TextTask, n_threads: int | None = None) -> None:
        self._task = task
        self._n_threads = thread_count(n_threads)

    def put(self, tables: Mapping[str, np.ndarray], sums: Mapping[str, np.ndarray]) -> None:
        """Keep references to the tables; see `TextDevice.put`."""
        task = self._task
        self._tables, self._sums = tables, sums
        n_factors = tables["word_factors"].shape[1]
        self._sampler = task.sampler.state(task.counts, n_factors, N_SHARDS)
        self._architecture, self._optimiser = task.architecture.state(), task.optimiser.state()
        width = task.most_chosen + -task.most_chosen % LANES
        self._work = WindowWork(
            kept=np.zeros((N_SHARDS, task.longest), np.int32),
            vectors=aligned_empty((N_SHARDS, 2, n_factors)),
            words=np.zeros((N_SHARDS, 3, width), np.int32),
            numbers=np.zeros((N_SHARDS, 2, width), np.float32),
            tally=np.zeros((N_SHARDS, TALLY_COLUMNS)),
        )

    def seed(self, seeds: np.random.SeedSequence) -> None:
        """Set the shards' random states; see `TextDevice.seed`."""
        self._states = counted_states(seeds, N_SHARDS)

    def refresh(self) -> None:
        """Update the sampler's state, on more threads for more work; see `TextDevice.refresh`."""
        outputs = self._tables["output_factors"]
        with threads(min(self._n_threads, 1 + outputs.size // _CELLS_PER_THREAD)):
            self._task.sampler.refresh(self._sampler, outputs)

    def launch(self, tokens: np.ndarray, offsets: np.ndarray, rate: float) -> None:
        """Train on sentences, on more threads for more work; see `TextDevice.launch`."""
        task, tables, sums = self._task, self._tables, self._sums
        shares = offsets[0] + len(tokens) * np.arange(1, N_SHARDS) // N_SHARDS
        bounds = np.concatenate(([0], np.searchsorted(offsets[:-1], shares), [len(offsets) - 1]))
        with threads(min(self._n_threads, 1 + len(tokens) // _TOKENS_PER_THREAD)):
            run_launch(
                tokens, offsets, bounds, task.keep, task.window, tables["word_factors"], sums["word_factors"],
                tables["output_factors"], sums["output_factors"], self._architecture, self._sampler, self._optimiser,
                np.float32(rate), task.draws_per, task.n_draws, task.n_negatives, self._states, self._work,
            )  # fmt: skip

    def tally(self) -> np.ndarray:
        """Return the sum of the shards' counts, and reset them; see `TextDevice.tally`."""
        total = self._work.tally.sum(axis=0)
        self._work.tally[:] = 0
        return total

    def fetch(self) -> None:
        """Do nothing, because the tables are changed in place."""
