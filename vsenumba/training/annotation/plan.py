"""The plan of an epoch: the order of the images, the launches, and the refreshes of the sampler.

The plan is plain NumPy and the same for every device. An epoch depends only on the random seed and its number, so a
training that is resumed from a file continues as if it had not been interrupted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from vsenumba.kernels.random import spawned
from vsenumba.training.annotation.task import Task

# Draws per launch, unless the sampler needs a refresh earlier. Between launches, Python can be interrupted.
_DRAWS_PER_LAUNCH = 4_000_000

# The number of images whose draws are counted at a time. For millions at once, temporary arrays would double the
# memory.
_IMAGES_AT_ONCE = 1 << 16


class Launch(NamedTuple):
    """A part of an epoch that a device trains in one call.

    Attributes
    ----------
    order : (n,) int32 or int64 array
        The rows of images in the order of their visits.
    bounds : (n_shards + 1,) int64 array
        Shard s visits ``order[bounds[s]:bounds[s + 1]]``.
    parts : (n,) or (0,) uint8 array
        The inputs that represent each of the images; see `Inputs.drawn_parts`.
    refresh : bool
        Whether the sampler is refreshed before this launch.
    done : float
        The share of the epoch's draws that are finished after this launch.
    """

    order: np.ndarray
    bounds: np.ndarray
    parts: np.ndarray
    refresh: bool
    done: float


class Plan:
    """The launches of every epoch of a training.

    Parameters
    ----------
    task : Task
        The settings of the training.
    seeds : numpy.random.SeedSequence
        The random seed. Epoch e uses the seeds that are spawned with the key e.
    least_interval : int
        The least number of draws between two refreshes of the sampler; see `Device`.
    """

    def __init__(self, task: Task, seeds: np.random.SeedSequence, least_interval: int = 0) -> None:
        self._task = task
        self._seeds = seeds
        self._least_interval = least_interval
        # With millions of images, the order of visits is what determines the peak of memory.
        self._row_type = np.dtype(np.int32 if task.data.n_images < 2**31 else np.int64)

    def draw_seeds(self, epoch: int) -> np.random.SeedSequence:
        """Return the random seed of the draws in an epoch."""
        return spawned(self._seeds, epoch, 1)

    def refresh_interval(self, epoch: int) -> int | None:
        """Return the number of draws between two refreshes of the sampler in an epoch, or None for no refreshes."""
        interval = self._task.sampler.refresh_interval(self._task.data.n_labels, epoch)
        return None if interval is None else max(interval, self._least_interval)

    def empty_launch(self) -> Launch:
        """Return a launch without images, with which a device compiles its kernels."""
        bounds = np.zeros(self._task.n_shards + 1, np.int64)
        return Launch(np.zeros(0, self._row_type), bounds, np.zeros(0, np.uint8), True, 0.0)

    def launches(self, epoch: int) -> Iterator[Launch]:
        """Yield the launches of an epoch, counted from 1; the first one includes a refresh."""
        order, ends = self.visiting_order(epoch)
        parts = self._task.inputs.drawn_parts(len(order), np.random.default_rng(spawned(self._seeds, epoch, 2)))
        most = self._task.inputs.images_per_launch or len(order)
        interval, n_shards = self.refresh_interval(epoch), self._task.n_shards
        position = done = since_refresh = 0
        while position < len(order):
            refresh = position == 0 or (interval is not None and since_refresh >= interval)
            since_refresh = 0 if refresh else since_refresh
            budget = _DRAWS_PER_LAUNCH if interval is None else min(_DRAWS_PER_LAUNCH, interval - since_refresh)
            # Take whole images, at least one, until the budget is used up.
            stop = min(int(np.searchsorted(ends, done + budget)) + 1, position + most, len(order))
            draws = int(ends[stop - 1]) - done
            shares = done + draws * np.arange(1, n_shards) // n_shards
            inner = np.searchsorted(ends[position:stop], shares, side="right")
            bounds = np.concatenate(([0], inner, [stop - position]))
            done += draws
            yield Launch(order[position:stop], bounds, parts[position:stop], refresh, float(done / ends[-1]))
            position = stop
            since_refresh += draws

    def visiting_order(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the images that have labels in random order, and the cumulative number of draws after each."""
        task, rng = self._task, np.random.default_rng(spawned(self._seeds, epoch, 0))
        indptr = task.data.indptr
        order = np.flatnonzero(indptr[1:] > indptr[:-1]).astype(self._row_type)
        together = task.inputs.rows_together(task.data)
        if together == 1:
            rng.shuffle(order)
        else:
            order = _shuffled_runs(order, together, rng)
        ends = np.empty(len(order), dtype=np.int64)
        done = 0
        for start in range(0, len(order), _IMAGES_AT_ONCE):
            images = order[start : start + _IMAGES_AT_ONCE]
            draws = (indptr[images + 1] - indptr[images]) * self._task.n_negatives
            ends[start : start + len(images)] = done + np.cumsum(draws)
            done = ends[start + len(images) - 1]
        return order, ends


def _shuffled_runs(order: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    """Return a random order of runs of neighbouring images.

    Features on disk are read in such runs. Single images in random order would be read with everything around them.
    """
    starts = np.arange(0, len(order), length)
    rng.shuffle(starts)
    return np.concatenate([order[start : start + length] for start in starts]) if len(order) else order
