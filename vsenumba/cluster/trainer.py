"""Training on a cluster: rounds of turns, one a worker, whose changes are merged."""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, MutableMapping
from concurrent.futures import CancelledError
from typing import Any

import numpy as np

from vsenumba.cluster.merge import merged
from vsenumba.cluster.turn import OF_IMAGES, part_to_arrays, settings_of, train_turn
from vsenumba.cluster.workers import check_client, ready_workers
from vsenumba.errors import ClusterError
from vsenumba.kernels.random import spawned
from vsenumba.training.annotation.task import Task
from vsenumba.training.divergence import check_finite
from vsenumba.training.run import Trainer

# How often an epoch's changes are merged. With 8 workers the MRR of five sets is then that of one machine; most keep it
# with half as many (docs/scale.md).
N_ROUNDS = 16

# An epoch that workers are lost in is trained again, but for so many times in a row.
_MOST_LOSSES = 20

# Images' rows are brought back at least once in so many epochs: as many are trained again where a worker is lost.
_MOST_TO_REPEAT = 10
_SECONDS_TO_WAIT = 60


class ClusterTrainer(Trainer):
    """Trains tables on a cluster.

    The images are divided into parts, several for each worker, that stay where they are. In a round every worker
    trains on one of its parts, on a copy of the tables as they were before the round; then the changes are merged.

    Parameters
    ----------
    task : Task
        What is trained.
    client : distributed.Client
        The cluster, with one task at a time on each worker.
    tables, sums : mapping from str to array
        As for `AnnotationTrainer`.
    seeds : numpy.random.SeedSequence
        What the parts, and the draws on them, are seeded with.
    n_threads : int or None
        Threads of each worker; None for all.
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
        check_client(client)
        self.steps = 0
        self.seconds = 0.0
        self._task, self._client, self._tables, self._sums = task, client, tables, sums
        self._seeds, self._n_threads = seeds, n_threads
        self._settings = settings_of(task)
        self._n_workers = len(ready_workers(client))
        self._own = [name for name in OF_IMAGES if name in tables]
        self._sent: list[Any] = []
        self._of_parts: list[Any] = []
        self._shared: dict[str, Any] = {}
        # The epochs, with their rates, that the tables here have not seen, how many of them the workers have trained,
        # and after how many they are brought back.
        self._ahead: list[tuple[int, float]] = []
        self._n_done = 0
        self._stride = _MOST_TO_REPEAT if self._own else 1
        self._divide()

    def _divide(self) -> None:
        """Deal the images to parts, as many for each of the workers there are at the beginning."""
        n_rounds = N_ROUNDS if self._n_workers > 1 else 1
        order = np.random.default_rng(spawned(self._seeds, 0, 3)).permutation(self._task.data.n_images)
        n_parts = max(min(self._n_workers * n_rounds, len(order)), 1)
        self._rows = [np.sort(rows) for rows in np.array_split(order, n_parts)]

    def _send(self) -> None:
        """Send the parts, and what is learnt of their images, to the workers there are now."""
        self._shared = self._of_all()
        workers = ready_workers(self._client)
        parts = [part_to_arrays(self._task.data, rows) for rows in self._rows]
        of_parts = [self._of_images(rows) for rows in self._rows]
        self._sent, self._of_parts = [None] * len(parts), [None] * len(parts)
        self._homes = [workers[p % len(workers)] for p in range(len(parts))]
        for number, worker in enumerate(workers):
            mine = range(number, len(parts), len(workers))
            both = [parts[p] for p in mine] + [of_parts[p] for p in mine]
            try:
                futures = self._client.scatter(both, workers=[worker], hash=False)
            except KeyError as error:  # the scheduler no longer knows the worker
                raise CancelledError(f"the worker {worker} was lost") from error
            for place, p in enumerate(mine):
                self._sent[p], self._of_parts[p] = futures[place], futures[len(mine) + place]

    def _of_all(self) -> dict[str, dict[str, np.ndarray]]:
        """Return copies of the tables that all parts train, and of the optimiser's sums of them."""
        names = [name for name in self._tables if name not in self._own]
        return {
            "tables": {name: np.array(self._tables[name]) for name in names},
            "sums": {name: np.array(self._sums[name]) for name in names if name in self._sums},
        }

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
        started = time.perf_counter()
        self._ahead.append((epoch, rate_at(0.0)))
        try:
            self._catch_up(progress)
        except BaseException:
            self._ahead.pop()
            raise
        self.seconds += time.perf_counter() - started
        return self._record(epoch, rate_at(0.0), self._shared["records"])

    def bring_back(self) -> int:
        """Bring what was trained to the tables and sums here; see `vsenumba.training.run.Trainer`.

        Epochs are lost where the scheduler is, and nothing can be brought back.
        """
        while self._ahead and self._client.status == "running":
            self._stride = 1
            self._catch_up()
        return len(self._ahead)

    def _catch_up(self, progress: Callable[[float], object] = lambda done: None) -> None:
        """Train what the workers have not trained yet; where some are lost, all that was not brought back."""
        from distributed import KilledWorker
        from distributed.comm import CommClosedError

        n_losses = 0
        while self._n_done < len(self._ahead) or self._n_done >= self._stride:
            try:
                if not self._sent:
                    self._send()
                if self._n_done >= self._stride:
                    self._take()
                    n_losses = 0
                else:
                    self._train(*self._ahead[self._n_done], progress)
                    self._n_done += 1
            except Exception as error:
                lost = isinstance(error, KilledWorker | CancelledError | CommClosedError | TimeoutError)
                if not lost and self._client.status == "running":
                    raise
                n_losses += 1
                if n_losses == _MOST_LOSSES:
                    raise ClusterError(f"workers were lost {_MOST_LOSSES} times in a row, in one epoch") from error
                self._sent, self._n_done, self._stride = [], 0, 1
                self._await_workers(error)

    def _await_workers(self, error: BaseException) -> None:
        if self._client.status != "running":
            raise ClusterError(
                f"the connection to the scheduler was lost ({self._client.status}): go on from the last checkpoint"
            ) from error
        try:
            self._client.wait_for_workers(1, timeout=_SECONDS_TO_WAIT)
        except TimeoutError:
            raise ClusterError(f"all workers were lost, and none has come in {_SECONDS_TO_WAIT} seconds") from error

    def _train(self, epoch: int, rate: float, progress: Callable[[float], object]) -> None:
        """Train one epoch on the workers, and keep what all parts train."""
        from distributed import as_completed

        client, task = self._client, self._task
        before = {"tables": self._shared["tables"], "sums": self._shared["sums"]}
        shared, counts = client.scatter([before, task.data.label_counts], hash=False)
        of_parts, rounds = list(self._of_parts), []
        for turns in self._rounds(epoch):
            changes = []
            for p in turns:
                seed = {"entropy": self._seeds.entropy, "key": [*self._seeds.spawn_key, 0, 4, int(p)]}
                turn = client.submit(
                    train_turn, self._sent[p], of_parts[p], shared, self._settings, counts, seed, epoch, rate,
                    self._n_threads, workers=self._homes[p], allow_other_workers=True, pure=False,
                )  # fmt: skip
                changes.append(client.submit(operator.itemgetter("moved"), turn, pure=False))
                if self._own:
                    of_parts[p] = client.submit(operator.itemgetter("of_part"), turn, pure=False)
            shared = client.submit(merged, shared, changes, pure=False)
            rounds.append(shared)
        for n_done, _ in enumerate(as_completed(rounds, loop=client.loop), 1):
            progress(n_done / len(rounds))
        found = client.gather(shared)
        check_finite(found["tables"], epoch, rate)
        self._shared, self._of_parts = found, of_parts

    def _rounds(self, epoch: int) -> list[np.ndarray]:
        """Return which parts are trained in each round: of every worker one, in an order drawn anew each epoch."""
        rng = np.random.default_rng(spawned(self._seeds, epoch, 5))
        n_parts, n_workers = len(self._rows), self._n_workers
        of_workers = [rng.permutation(np.arange(w, n_parts, n_workers)) for w in range(n_workers)]
        n_rounds = max(len(parts) for parts in of_workers)
        return [np.array([parts[r] for parts in of_workers if r < len(parts)]) for r in range(n_rounds)]

    def _take(self) -> None:
        """Write what was trained into the tables and sums here."""
        of_parts = self._client.gather(self._of_parts) if self._own else []
        for mine, theirs in ((self._tables, self._shared["tables"]), (self._sums, self._shared["sums"])):
            for name, array in theirs.items():
                mine[name][...] = array
        for rows, of_part in zip(self._rows, of_parts, strict=False):
            for name, table in of_part["tables"].items():
                self._tables[name][rows] = table
            for name, one in of_part["sums"].items():
                if len(one):
                    self._sums[name][rows] = one
        del self._ahead[: self._n_done]
        self._n_done = 0
        # Workers that were lost once are not trusted for many epochs at first.
        self._stride = min(2 * self._stride, _MOST_TO_REPEAT if self._own else 1)

    def _record(self, epoch: int, rate: float, records: list[dict[str, float]]) -> dict[str, float]:
        """Add up the turns' records, as one machine's epoch would say it."""
        steps = sum(record["steps"] for record in records)
        self.steps += int(steps)
        means = {
            name: float(sum(record[name] * record["steps"] for record in records) / max(steps, 1))
            for name in ("loss", "violations", "trials")
        }
        skipped, refreshes = (int(sum(record[name] for record in records)) for name in ("skipped", "refreshes"))
        return {
            "epoch": epoch, "seconds": self.seconds, "steps": self.steps, "skipped": skipped, **means,
            "refreshes": refreshes, "learning_rate": rate,
        }  # fmt: skip
