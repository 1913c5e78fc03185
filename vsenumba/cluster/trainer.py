"""Train on images and their labels on a cluster."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

import numpy as np

from vsenumba.cluster.places import check_seen_by, places_of
from vsenumba.cluster.rounds import TrainerInRounds
from vsenumba.cluster.turn import OF_IMAGES, of_images, part_to_arrays, settings_of, train_turn
from vsenumba.cluster.workers import least_memory, ready_workers
from vsenumba.kernels.random import spawned
from vsenumba.training.annotation.task import Task

# The number of merges per epoch. With 8 workers, this gives the same MRR as one machine on five sets
# (docs/explanation/cluster.md). On most of these sets, half as many merges are enough.
N_ROUNDS = 16

# The largest share of a worker's memory for one part. The worker holds a part twice: as read and as trained on.
_SHARE_OF_MEMORY = 1 / 16

# Neighbouring images stay together in runs, so that a worker reads contiguous pages of a feature file. A run has at
# most 1,024 images, and a part has at least 256 runs; small sets have runs of one image.
_LONGEST_RUN, _LEAST_RUNS = 1024, 256


class ClusterTrainer(TrainerInRounds):
    """Train on images and labels on a cluster. Each part has some of the images.

    Parameters
    ----------
    task : Task
        The settings of the training, with the data. Workers read large features from their files themselves.
    client, seeds, n_threads
        As in `TrainerInRounds`.
    tables, sums : mapping from str to array
        As in `AnnotationTrainer`.

    Raises
    ------
    ClusterError
        If a worker cannot read a file of features.
    """

    def __init__(
        self,
        task: Task,
        client: Any,
        tables: MutableMapping[str, np.ndarray],
        sums: MutableMapping[str, np.ndarray],
        seeds: np.random.SeedSequence,
        n_threads: int | None = None,
    ) -> None:
        own = tuple(name for name in OF_IMAGES if name in tables)
        super().__init__(client, tables, sums, seeds, n_threads, own)
        self._task = task
        self._settings = settings_of(task)
        self._places = places_of(task.data.features)
        self._of_parts: list[Any] = []
        self._divide()

    def _divide(self) -> None:
        """Divide the images into parts, the same number for each of the current workers."""
        data, n_workers = self._task.data, self._n_workers
        room = least_memory(self._client) * _SHARE_OF_MEMORY
        n_rounds = max(
            N_ROUNDS if n_workers > 1 else 1, math.ceil(n_bytes(self._task, self._tables) / (n_workers * room))
        )
        self._n_parts = max(min(n_workers * n_rounds, data.n_images), 1)
        self._rows = dealt(data.n_images, self._n_parts, np.random.default_rng(spawned(self._seeds, 0, 3)))

    def _send(self) -> None:
        """Send the parts, and the rows that are learnt for their images, to the current workers."""
        client, workers = self._client, ready_workers(self._client)
        check_seen_by(client, self._places or [])
        [self._counts] = client.scatter([self._task.data.label_counts], hash=False)
        self._homes = [workers[p % len(workers)] for p in range(self._n_parts)]
        sent, of_parts = [], []
        # Send the parts one by one, because together they may be larger than the memory.
        for rows, home in zip(self._rows, self._homes, strict=True):
            both = [
                part_to_arrays(self._task.data, rows, self._places),
                of_images(self._tables, self._sums, self._own, rows),
            ]
            part, of_part = self._put(both, home)
            sent.append(part)
            of_parts.append(of_part)
        self._sent, self._of_parts = sent, of_parts

    def run_epoch(
        self, epoch: int, rate_at: Callable[[float], float], progress: Callable[[float], object] = lambda done: None
    ) -> dict[str, float]:
        """Train one epoch at the learning rate of its start; see `vsenumba.training.run.Trainer`."""
        rate = rate_at(0.0)
        return super().run_epoch(epoch, lambda done: rate, progress)

    def _train(self, epoch: int, rate_at: Callable[[float], float], progress: Callable[[float], object]) -> None:
        before = list(self._of_parts)
        try:
            super()._train(epoch, rate_at, progress)
        except BaseException:
            self._of_parts = before
            raise

    def _submit(self, part: int, shared: Any, epoch: int, rate_at: Callable[[float], float]) -> Any:
        client = self._client
        turn = client.submit(
            train_turn, self._sent[part], self._of_parts[part], shared, self._settings, self._counts, self._seed(part),
            epoch, rate_at(0.0), self._n_threads, workers=self._homes[part], allow_other_workers=True, pure=False,
        )  # fmt: skip
        if self._own:
            self._of_parts[part] = client.submit(operator.itemgetter("of_part"), turn, pure=False)
        return client.submit(operator.itemgetter("moved"), turn, pure=False)

    def _take_own(self) -> None:
        if not self._own:
            return
        # Gather all rows before any is written, because a worker may be lost meanwhile.
        for rows, of_part in zip(self._rows, self._client.gather(self._of_parts), strict=True):
            for name, table in of_part["tables"].items():
                self._tables[name][rows] = table
            for name, one in of_part["sums"].items():
                if len(one):
                    self._sums[name][rows] = one

    def _record(self, epoch: int, rate_at: Callable[[float], float], records: list[dict[str, float]]) -> dict[str, Any]:
        steps = sum(record["steps"] for record in records)
        self.steps += int(steps)
        means = {
            name: float(sum(record[name] * record["steps"] for record in records) / max(steps, 1))
            for name in ("loss", "violations", "trials")
        }
        skipped, refreshes = (int(sum(record[name] for record in records)) for name in ("skipped", "refreshes"))
        return {
            "epoch": epoch, "seconds": self.seconds, "steps": self.steps, "skipped": skipped, **means,
            "refreshes": refreshes, "learning_rate": rate_at(0.0),
        }  # fmt: skip


def dealt(n_images: int, n_parts: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Return the sorted rows of each part: runs of neighbouring images, assigned at random."""
    length = min(max(n_images // (n_parts * _LEAST_RUNS), 1), _LONGEST_RUN)
    starts = rng.permutation(np.arange(0, n_images, length))
    return [
        np.concatenate([np.arange(start, min(start + length, n_images)) for start in np.sort(mine)])
        if length > 1 else np.sort(mine)
        for mine in np.array_split(starts, n_parts)
    ]  # fmt: skip


def n_bytes(task: Task, tables: Mapping[str, np.ndarray]) -> int:
    """Return the bytes of the pairs, features and learnt rows of all images."""
    data = task.data
    features = 0 if data.features is None else 4 * data.n_images * data.n_features
    return (
        4 * data.n_pairs
        + 8 * data.n_images
        + features
        + sum(tables[name].nbytes for name in OF_IMAGES if name in tables)
    )
