"""The Python around the compiled epoch loop: shuffling, refreshing, dividing the work, counting."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np

from vsenumba.data.annotation_set import AnnotationSet
from vsenumba.kernels.random import shard_states
from vsenumba.kernels.threads import thread_count, threads
from vsenumba.losses import Loss
from vsenumba.samplers import Sampler
from vsenumba.training.divergence import check_finite
from vsenumba.training.epoch import run_launch, work_space
from vsenumba.training.inputs import Inputs
from vsenumba.training.optimisers import Optimiser
from vsenumba.training.steps import LOSS, SKIPPED, STEPS, TRIALS, VIOLATIONS

# The work of a block is cut into so many shards: more than any thread count of the machines this is meant for, few
# enough that a shard's work outweighs its start.
N_SHARDS = 32

# Draws per launch where the sampler sets no shorter interval; between launches Python can be interrupted.
_DRAWS_PER_LAUNCH = 4_000_000

# Images whose labels are counted together: of millions, what is computed on the way would double the memory.
_IMAGES_AT_ONCE = 1 << 16

# A thread must have this much to do: where another program holds a core, a launch on two threads waits for it.
_DRAWS_PER_THREAD = 8_192
_CELLS_PER_THREAD = 65_536


class Trainer:
    """Trains tables on a set, epoch by epoch.

    Parameters
    ----------
    data : AnnotationSet
        The pairs; rows and columns are those of the tables.
    tables, sums : mapping from str to array
        ``"label_factors"`` and the tables of the inputs, (rows, k) float32, changed in place; and the optimiser's sums
        of each.
    inputs, sampler, loss, optimiser
        What to train with.
    l2 : float
        Weight decay per step.
    n_negatives : int
        Negatives per pair.
    n_threads : int or None
        Threads; the draws do not depend on it, the lock-free updates do.
    seeds : numpy.random.SeedSequence
        Epoch e draws from ``SeedSequence(seeds.entropy, spawn_key=(e,))``.
    frozen_labels : bool
        Whether the label factors stay as they are.
    """

    def __init__(
        self,
        data: AnnotationSet,
        tables: Mapping[str, np.ndarray],
        sums: Mapping[str, np.ndarray],
        *,
        inputs: Inputs,
        sampler: Sampler,
        loss: Loss,
        optimiser: Optimiser,
        l2: float,
        n_negatives: int,
        n_threads: int | None,
        seeds: np.random.SeedSequence,
        frozen_labels: bool = False,
    ) -> None:
        self.tables = tables
        self.steps = 0
        self.seconds = 0.0
        self._data = data
        self._labels = tables["label_factors"]
        self._label_sums = sums["label_factors"]
        self._sampler = sampler
        n_labels, n_factors = self._labels.shape
        self._states = (
            inputs.state(tables, sums),
            sampler.state(data.label_counts, n_factors, N_SHARDS),
            loss.state(n_labels),
            optimiser.state(),
        )
        self._l2 = np.float32(l2)
        self._n_negatives = int(n_negatives)
        self._n_threads = thread_count(n_threads)
        self._seeds = seeds
        self._frozen_labels = frozen_labels
        # With millions of images, the order of visits and what it is made from are what memory peaks at.
        self._row_type = np.dtype(np.int32 if data.n_images < 2**31 else np.int64)
        self._work = work_space(N_SHARDS, inputs.work_rows(), n_factors)
        self._warm_up()

    def _warm_up(self) -> None:
        """Compile, or load from the cache, before the clock runs."""
        self._refresh()
        self._launch(np.zeros(0, self._row_type), np.zeros(N_SHARDS + 1, np.int64), 0, 0.0, self._fresh(0))

    def _refresh(self) -> None:
        with threads(min(self._n_threads, 1 + self._labels.size // _CELLS_PER_THREAD)):
            self._sampler.refresh(self._states[1], self._labels)

    def _fresh(self, epoch: int) -> np.ndarray:
        self._work.tally[:] = 0
        seeds = np.random.SeedSequence(self._seeds.entropy, spawn_key=(*self._seeds.spawn_key, epoch, 1))
        return shard_states(seeds, N_SHARDS)

    def run_epoch(self, epoch: int, learning_rate: float) -> dict[str, float]:
        """Train one epoch; return its record, see `History`.

        Raises
        ------
        TrainingDivergedError
            If a table is not finite afterwards.
        """
        started = time.perf_counter()
        # An epoch begins with a refresh, so that it depends on the tables alone: training that is taken up again from a
        # file goes the same way as training that was never interrupted.
        self._refresh()
        refreshes, since_refresh = 1, 0
        states = self._fresh(epoch)
        order, ends = self.visiting_order(epoch)
        interval = self._sampler.refresh_interval(len(self._labels), epoch)
        position = done = 0
        while position < len(order):
            budget = _DRAWS_PER_LAUNCH
            if interval is not None:
                if since_refresh >= interval:
                    self._refresh()
                    refreshes, since_refresh = refreshes + 1, 0
                budget = min(budget, interval - since_refresh)
            # Whole images, at least one, until the budget is used up.
            stop = min(int(np.searchsorted(ends, done + budget)) + 1, len(order))
            draws = int(ends[stop - 1]) - done
            shares = done + draws * np.arange(1, N_SHARDS) // N_SHARDS
            inner = np.searchsorted(ends[position:stop], shares, side="right")
            bounds = np.concatenate(([0], inner, [stop - position]))
            self._launch(order[position:stop], bounds, draws, learning_rate, states)
            position, done = stop, done + draws
            since_refresh += draws
        self.seconds += time.perf_counter() - started
        check_finite(self.tables, epoch, learning_rate)
        return self._record(epoch, learning_rate, 0 if interval is None else refreshes)

    def visiting_order(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the images that have labels in random order, and the number of draws up to and with each."""
        seeds = np.random.SeedSequence(self._seeds.entropy, spawn_key=(*self._seeds.spawn_key, epoch, 0))
        indptr = self._data.indptr
        order = np.flatnonzero(indptr[1:] > indptr[:-1]).astype(self._row_type)
        np.random.default_rng(seeds).shuffle(order)
        ends = np.empty(len(order), dtype=np.int64)
        done = 0
        for start in range(0, len(order), _IMAGES_AT_ONCE):
            images = order[start : start + _IMAGES_AT_ONCE]
            draws = (indptr[images + 1] - indptr[images]) * self._n_negatives
            ends[start : start + len(images)] = done + np.cumsum(draws)
            done = ends[start + len(images) - 1]
        return order, ends

    def _launch(
        self,
        order: np.ndarray,
        bounds: np.ndarray,
        draws: int,
        learning_rate: float,
        states: np.ndarray,
    ) -> None:
        inputs, sampler, loss, optimiser = self._states
        rates = np.array([0.0 if self._frozen_labels else learning_rate, learning_rate], dtype=np.float32)
        with threads(min(self._n_threads, 1 + draws // _DRAWS_PER_THREAD)):
            run_launch(
                order, bounds, self._data.indptr, self._data.indices, self._labels, self._label_sums, inputs, sampler,
                loss, optimiser, rates, self._l2, self._n_negatives, states, self._work,
            )  # fmt: skip

    def _record(self, epoch: int, learning_rate: float, refreshes: int) -> dict[str, float]:
        tally = self._work.tally.sum(axis=0)
        self.steps += int(tally[STEPS])
        steps = max(tally[STEPS], 1)
        return {
            "epoch": epoch,
            "seconds": self.seconds,
            "steps": self.steps,
            "skipped": int(tally[SKIPPED]),
            "loss": float(tally[LOSS] / steps),
            "violations": float(tally[VIOLATIONS] / steps),
            "trials": float(tally[TRIALS] / steps),
            "refreshes": refreshes,
            "learning_rate": learning_rate,
        }
