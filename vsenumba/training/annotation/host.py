"""The CPU as a device: it trains with several threads and changes the tables in place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from vsenumba.kernels.gate import below, segments
from vsenumba.kernels.random import spawned
from vsenumba.kernels.threads import thread_count, threads
from vsenumba.training.annotation.absences import absences_state
from vsenumba.training.annotation.epoch import run_launch
from vsenumba.training.annotation.layout import block_states, work_space
from vsenumba.training.annotation.plan import Launch
from vsenumba.training.annotation.task import Task

# The least work per thread. If another program uses a core, a launch on two threads would have to wait for that core.
_DRAWS_PER_THREAD = 8_192
_CELLS_PER_THREAD = 65_536


class HostDevice:
    """Train with the compiled loop of `vsenumba.training.annotation.epoch`; see `Device`."""

    name: ClassVar[str] = "cpu"
    least_interval: ClassVar[int] = 0

    def __init__(self, task: Task, n_threads: int | None = None) -> None:
        self._task = task
        self._n_threads = thread_count(n_threads)
        n_visited = int(np.count_nonzero(task.data.labels_per_image))
        # Scoring one label takes about as long as one draw.
        draws = n_visited * task.data.n_labels if task.loss.takes_all else task.data.n_pairs * task.n_negatives
        self._draws_per_image = draws / max(n_visited, 1)

    def put(self, tables: Mapping[str, np.ndarray], sums: Mapping[str, np.ndarray]) -> None:
        """Keep references to the tables; see `Device.put`."""
        task = self._task
        self._indices = below("the data's indices", task.data.indices, task.data.n_labels)
        self._indptr = segments("the data's indptr", task.data.indptr, len(self._indices), task.data.n_images)
        self._labels, self._label_sums = tables["label_factors"], sums["label_factors"]
        n_labels, n_factors = self._labels.shape
        self._feeds = task.inputs.feeds(tables, sums, task.data, task.l2)
        self._sampler = task.sampler.state(task.counts, n_factors, task.n_shards)
        if task.loss.draws:
            self._sampler = task.sampler.with_probabilities(self._sampler)
        self._absences = absences_state(task.data, task.absent_share)
        self._loss = task.loss.state(n_labels)
        self._optimiser = task.optimiser.state()
        self._work = work_space(task.n_shards, n_factors, task.loss.n_scores(n_labels), task.loss.draws or 0)

    def seed(self, seeds: np.random.SeedSequence) -> None:
        """Set the shards' random states; see `Device.seed`."""
        self._states = block_states(seeds, self._task.n_shards)
        for feed in self._feeds:
            feed.seed(spawned(seeds, 0))

    def refresh(self) -> None:
        """Update the sampler's state, on more threads for more work; see `Device.refresh`."""
        with threads(min(self._n_threads, 1 + self._labels.size // _CELLS_PER_THREAD)):
            self._task.sampler.refresh(self._sampler, self._labels)

    def launch(self, launch: Launch, rate: float) -> None:
        """Train on the images, on more threads for more work; see `Device.launch`."""
        task = self._task
        rates = np.array([0.0 if task.frozen_labels else rate, rate], dtype=np.float32)
        draws = int(len(launch.order) * self._draws_per_image)
        with threads(self._n_threads):
            for feed in self._feeds:
                feed.begin_launch(launch.order)
        with threads(min(self._n_threads, 1 + draws // _DRAWS_PER_THREAD)):
            run_launch(
                launch.order, launch.bounds, launch.parts, self._indptr, self._indices, self._labels, self._label_sums,
                *[feed.state for feed in self._feeds], self._sampler, self._loss, self._optimiser, rates,
                np.float32(task.l2), task.n_negatives, self._states, self._work,
                self._absences,
            )  # fmt: skip
        with threads(self._n_threads):
            for feed in self._feeds:
                feed.end_launch(rate)

    def tally(self) -> np.ndarray:
        """Return the sum of the shards' counts, and reset them; see `Device.tally`."""
        total = self._work.tally.sum(axis=0)
        self._work.tally[:] = 0
        return total

    def fetch(self) -> None:
        """Do nothing, because the tables are changed in place."""
