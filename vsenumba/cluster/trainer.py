"""Training on images and their labels on a cluster."""

from __future__ import annotations

import operator
from collections.abc import Callable, MutableMapping
from typing import Any

import numpy as np

from vsenumba.cluster.rounds import TrainerInRounds
from vsenumba.cluster.turn import OF_IMAGES, part_to_arrays, settings_of, train_turn
from vsenumba.cluster.workers import ready_workers
from vsenumba.kernels.random import spawned
from vsenumba.training.annotation.task import Task

# How often an epoch's changes are merged. With 8 workers the MRR of five sets is then that of one machine; most keep it
# with half as many (docs/scale.md).
N_ROUNDS = 16


class ClusterTrainer(TrainerInRounds):
    """Trains on images and labels on a cluster; the parts are some of the images each.

    Parameters
    ----------
    task : Task
        What is trained.
    client, seeds, n_threads
        As for `TrainerInRounds`.
    tables, sums : mapping from str to array
        As for `AnnotationTrainer`.
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
        super().__init__(client, tables, sums, seeds, n_threads)
        self._task = task
        self._settings = settings_of(task)
        self._own = [name for name in OF_IMAGES if name in tables]
        self._of_parts: list[Any] = []
        self._divide()

    def _divide(self) -> None:
        """Deal the images to parts, as many for each of the workers there are at the beginning."""
        n_rounds = N_ROUNDS if self._n_workers > 1 else 1
        order = np.random.default_rng(spawned(self._seeds, 0, 3)).permutation(self._task.data.n_images)
        n_parts = max(min(self._n_workers * n_rounds, len(order)), 1)
        self._rows = [np.sort(rows) for rows in np.array_split(order, n_parts)]
        self._n_parts = n_parts

    def _send(self) -> None:
        """Send the parts, and what is learnt of their images, to the workers there are now."""
        workers = ready_workers(self._client)
        parts = [part_to_arrays(self._task.data, rows) for rows in self._rows]
        of_parts = [self._of_images(rows) for rows in self._rows]
        [self._counts] = self._client.scatter([self._task.data.label_counts], hash=False)
        self._sent, self._of_parts = [None] * len(parts), [None] * len(parts)
        self._homes = [workers[p % len(workers)] for p in range(len(parts))]
        for number, worker in enumerate(workers):
            mine = range(number, len(parts), len(workers))
            both = [parts[p] for p in mine] + [of_parts[p] for p in mine]
            futures = self._client.scatter(both, workers=[worker], hash=False)
            for place, p in enumerate(mine):
                self._sent[p], self._of_parts[p] = futures[place], futures[len(mine) + place]

    def _of_images(self, rows: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
        """Return the tables, and the optimiser's sums of them, of some images; nothing where images have no rows."""
        sums = {name: self._sums[name] for name in self._own}
        return {
            "tables": {name: self._tables[name][rows] for name in self._own},
            "sums": {name: one[rows] if len(one) else one for name, one in sums.items()},
        }

    def run_epoch(
        self, epoch: int, rate_at: Callable[[float], float], progress: Callable[[float], object] = lambda done: None
    ) -> dict[str, float]:
        """Train one epoch, at the rate of its beginning; see `vsenumba.training.run.Trainer`."""
        rate = rate_at(0.0)
        return super().run_epoch(epoch, lambda done: rate, progress)

    def _submit(self, part: int, shared: Any, epoch: int, rate_at: Callable[[float], float]) -> Any:
        client = self._client
        turn = client.submit(
            train_turn, self._sent[part], self._of_parts[part], shared, self._settings, self._counts, self._seed(part),
            epoch, rate_at(0.0), self._n_threads, workers=self._homes[part], allow_other_workers=True, pure=False,
        )  # fmt: skip
        if self._own:
            # Of an epoch that fails they are sent anew.
            self._of_parts[part] = client.submit(operator.itemgetter("of_part"), turn, pure=False)
        return client.submit(operator.itemgetter("moved"), turn, pure=False)

    def _take(self, shared: dict[str, Any]) -> None:
        # Brought here before anything is written: a worker may be lost meanwhile.
        of_parts = self._client.gather(self._of_parts) if self._own else []
        super()._take(shared)
        for rows, of_part in zip(self._rows, of_parts, strict=False):
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
