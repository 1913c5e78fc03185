"""The base class of trainers on a cluster: rounds of turns, merging, and recovery from lost workers."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, MutableMapping
from concurrent.futures import CancelledError
from typing import Any

import numpy as np

from vsenumba.cluster.merge import merged
from vsenumba.cluster.turn import of_all
from vsenumba.cluster.workers import await_workers, check_client, ready_workers
from vsenumba.errors import ClusterError
from vsenumba.kernels.random import spawned
from vsenumba.training.divergence import check_finite
from vsenumba.training.run import Trainer

# The number of losses of workers within one epoch after which training ends with an error.
_MOST_LOSSES = 20

# Dask reports a task that has stopped several workers. The task itself is probably the cause, so this counts more.
_LOSSES_OF_A_TASK = 5

#: The largest number of epochs between two times that the parts' own rows come back to this machine. If a worker is
#: lost, the epochs since then are trained again.
MOST_TO_REPEAT = 10


class TrainerInRounds(Trainer):
    """Base class of trainers on a cluster.

    The data are divided into parts, several per worker. Each part stays on its worker. In a round, every worker trains
    on one of its parts, with a copy of the tables from before the round (a *turn*). Then the changes are merged.

    Parameters
    ----------
    client : distributed.Client
        The cluster. Each worker must run one task at a time.
    tables : mapping from str to array
        The tables to train, changed in place.
    sums : mapping from str to array
        The optimiser's sums of each table, changed in place.
    seeds : numpy.random.SeedSequence
        The random seed of the division into parts and of the draws.
    n_threads : int or None
        The number of threads on each worker; None for all.
    own : sequence of str
        The names of the tables in which each part has its own rows. The other tables are trained by all parts.
    """

    def __init__(
        self,
        client: Any,
        tables: MutableMapping[str, np.ndarray],
        sums: MutableMapping[str, np.ndarray],
        seeds: np.random.SeedSequence,
        n_threads: int | None = None,
        own: tuple[str, ...] = (),
    ) -> None:
        check_client(client)
        self.steps = 0
        self.seconds = 0.0
        self._client, self._tables, self._sums = client, tables, sums
        self._seeds, self._n_threads, self._own = seeds, n_threads, own
        self._n_workers = len(ready_workers(client))
        self._n_parts = 0
        # The future and the worker of each part. Both are empty before the parts are sent.
        self._sent: list[Any] = []
        self._homes: list[str] = []
        # The tables that all parts train, as of the last round.
        self._shared: dict[str, Any] = {}
        # The epochs that are not in the tables on this machine yet, with their learning rates; the number of them that
        # the workers have trained; and the number after which the tables come back.
        self._ahead: list[tuple[int, Callable[[float], float]]] = []
        self._n_done = 0
        self._stride = MOST_TO_REPEAT if own else 1

    @abstractmethod
    def _send(self) -> None:
        """Send the parts to the current workers."""

    @abstractmethod
    def _submit(self, part: int, shared: Any, epoch: int, rate_at: Callable[[float], float]) -> Any:
        """Start a turn on a part with the tables in `shared`, and return the future of its changes.

        `rate_at` returns the learning rate at a share of the round, from 0 to 1.
        """

    def _merge(self, shared: Any, changes: list[Any], rate_at: Callable[[float], float]) -> Any:
        """Start the merge of a round's changes, and return the future of the new shared tables."""
        return self._client.submit(merged, shared, changes, pure=False)

    @abstractmethod
    def _record(self, epoch: int, rate_at: Callable[[float], float], records: list[dict[str, float]]) -> dict[str, Any]:
        """Combine the records of the turns into the record of the epoch."""

    def _put(self, arrays: list[Any], home: str) -> list[Any]:
        """Send arrays to one worker, and return their futures."""
        try:
            futures: list[Any] = self._client.scatter(arrays, workers=[home], hash=False)
        except KeyError as error:  # the scheduler no longer knows the worker
            raise CancelledError(f"the worker {home} was lost") from error
        return futures

    def _take_own(self) -> None:
        """Copy the parts' own rows into the tables and sums on this machine."""

    def run_epoch(
        self, epoch: int, rate_at: Callable[[float], float], progress: Callable[[float], object] = lambda done: None
    ) -> dict[str, float]:
        """Train one epoch; see `vsenumba.training.run.Trainer`."""
        started = time.perf_counter()
        self._ahead.append((epoch, rate_at))
        try:
            self._catch_up(progress)
        except BaseException:
            self._ahead.pop()
            raise
        self.seconds += time.perf_counter() - started
        return self._record(epoch, rate_at, self._shared["records"])

    def bring_back(self) -> None:
        """Copy what was trained into the tables and sums on this machine; see `vsenumba.training.run.Trainer`.

        If the connection to the scheduler is lost, nothing can be copied.
        """
        while self._ahead and self._client.status == "running":
            self._stride = 1
            self._catch_up()

    @property
    def unseen(self) -> list[int]:
        """The epochs that are not in the tables on this machine; see `vsenumba.training.run.Trainer`."""
        return [epoch for epoch, _ in self._ahead]

    def _catch_up(self, progress: Callable[[float], object] = lambda done: None) -> None:
        """Train the epochs that are due. After a loss of workers, repeat all epochs since the tables last came back."""
        from distributed import KilledWorker
        from distributed.comm import CommClosedError

        n_losses = 0
        while self._n_done < len(self._ahead) or self._n_done >= self._stride:
            try:
                if not self._sent:
                    self._shared = of_all(self._tables, self._sums, self._own)
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
                n_losses += _LOSSES_OF_A_TASK if isinstance(error, KilledWorker) else 1
                if n_losses >= _MOST_LOSSES:
                    raise ClusterError(
                        "workers were lost again and again in one epoch; read their logs. If they ran out of memory, "
                        "give each worker about 500 MB besides its share of the data"
                    ) from error
                self._sent, self._n_done, self._stride = [], 0, 1
                await_workers(self._client, error, "resume from the last checkpoint")

    def _train(self, epoch: int, rate_at: Callable[[float], float], progress: Callable[[float], object]) -> None:
        """Train one epoch on the workers, and keep the tables that all parts train."""
        from distributed import as_completed

        client, plan = self._client, self._rounds(epoch)
        before = {"tables": self._shared["tables"], "sums": self._shared["sums"]}
        [shared] = client.scatter([before], hash=False)
        rounds = []
        for number, parts in enumerate(plan):

            def rate_in_round(done: float, number: int = number) -> float:
                return rate_at((number + done) / len(plan))

            changes = [self._submit(int(part), shared, epoch, rate_in_round) for part in parts]
            shared = self._merge(shared, changes, rate_in_round)
            rounds.append(shared)
        completed = as_completed(rounds, loop=client.loop)
        # The futures would keep the tables of every round in the workers' memory.
        del rounds
        for n_done, _ in enumerate(completed, 1):
            progress(n_done / len(plan))
        found = client.gather(shared)
        check_finite(found["tables"], epoch, rate_at(0.0))
        self._shared = found

    def _rounds(self, epoch: int) -> list[np.ndarray]:
        """Return the parts of each round: one part per worker, in a random order that differs between epochs."""
        rng = np.random.default_rng(spawned(self._seeds, epoch, 5))
        n_workers = self._n_workers
        of_workers = [rng.permutation(np.arange(w, self._n_parts, n_workers)) for w in range(n_workers)]
        n_rounds = max(len(parts) for parts in of_workers)
        return [np.array([parts[r] for parts in of_workers if r < len(parts)]) for r in range(n_rounds)]

    def _seed(self, part: int) -> dict[str, Any]:
        """Return the random seed of a part's draws as plain numbers."""
        return {"entropy": self._seeds.entropy, "key": [*self._seeds.spawn_key, 0, 4, part]}

    def _take(self) -> None:
        """Copy what was trained into the tables and sums on this machine."""
        self._take_own()
        for mine, theirs in ((self._tables, self._shared["tables"]), (self._sums, self._shared["sums"])):
            for name, array in theirs.items():
                mine[name][...] = array
        del self._ahead[: self._n_done]
        self._n_done = 0
        # After a loss of workers the tables come back after every epoch, then after two, four and so on.
        self._stride = min(2 * self._stride, MOST_TO_REPEAT if self._own else 1)
