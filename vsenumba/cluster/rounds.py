"""Training on a cluster in rounds of turns, one a worker, whose changes are merged; what is trained comes on top."""

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

# An epoch that workers are lost in is trained again, but for so many times in a row.
_MOST_LOSSES = 20

# Dask gives up a task that several workers were lost with; most likely it is what they were lost of.
_LOSSES_OF_A_TASK = 5

#: What parts have of their own is brought back at least once in so many epochs: as many are trained again where a
#: worker is lost.
MOST_TO_REPEAT = 10


class TrainerInRounds(Trainer):
    """Base of what trains tables on a cluster.

    The data are divided into parts, several for each worker, that stay where they are. In a round every worker trains
    on one of its parts, on a copy of the tables as they were before the round; then the changes are merged.

    Parameters
    ----------
    client : distributed.Client
        The cluster, with one task at a time on each worker.
    tables, sums : mapping from str to array
        What is trained, changed in place; and the optimiser's sums.
    seeds : numpy.random.SeedSequence
        What the parts, and the draws on them, are seeded with.
    n_threads : int or None
        Threads of each worker; None for all.
    own : sequence of str
        The tables of which every part has rows of its own; the others are trained by all.
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
        # Where each part lies on the cluster, and on which worker; empty where they are to be sent.
        self._sent: list[Any] = []
        self._homes: list[str] = []
        # What all parts train, as the workers left it.
        self._shared: dict[str, Any] = {}
        # The epochs, with their rates, that the tables here have not seen, how many of them the workers have trained,
        # and after how many they are brought back.
        self._ahead: list[tuple[int, Callable[[float], float]]] = []
        self._n_done = 0
        self._stride = MOST_TO_REPEAT if own else 1

    @abstractmethod
    def _send(self) -> None:
        """Send the parts to the workers there are now."""

    @abstractmethod
    def _submit(self, part: int, shared: Any, epoch: int, rate_at: Callable[[float], float]) -> Any:
        """Have a part trained on, after what `shared` stands for; return the future of what has moved.

        `rate_at` gives the rate when a share of the round is done.
        """

    def _merge(self, shared: Any, changes: list[Any], rate_at: Callable[[float], float]) -> Any:
        """Have the changes of a round merged; return the future of what is shared then."""
        return self._client.submit(merged, shared, changes, pure=False)

    @abstractmethod
    def _record(self, epoch: int, rate_at: Callable[[float], float], records: list[dict[str, float]]) -> dict[str, Any]:
        """Add up the turns' records, as one machine's epoch would say it."""

    def _put(self, arrays: list[Any], home: str) -> list[Any]:
        """Send arrays to a worker; return their futures."""
        try:
            futures: list[Any] = self._client.scatter(arrays, workers=[home], hash=False)
        except KeyError as error:  # the scheduler no longer knows the worker
            raise CancelledError(f"the worker {home} was lost") from error
        return futures

    def _take_own(self) -> None:
        """Write what parts have of their own into the tables and sums here."""

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
        """Bring what was trained to the tables and sums here; see `vsenumba.training.run.Trainer`.

        Where the scheduler is lost, nothing can be brought back.
        """
        while self._ahead and self._client.status == "running":
            self._stride = 1
            self._catch_up()

    @property
    def unseen(self) -> list[int]:
        """The epochs that the tables here have not seen; see `vsenumba.training.run.Trainer`."""
        return [epoch for epoch, _ in self._ahead]

    def _catch_up(self, progress: Callable[[float], object] = lambda done: None) -> None:
        """Train what the workers have not trained yet; where some are lost, all that was not brought back."""
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
                        "workers were lost again and again in one epoch; their logs say why. Where it was for memory: "
                        "a worker needs some 500 MB beside its share of the data"
                    ) from error
                self._sent, self._n_done, self._stride = [], 0, 1
                await_workers(self._client, error, "go on from the last checkpoint")

    def _train(self, epoch: int, rate_at: Callable[[float], float], progress: Callable[[float], object]) -> None:
        """Train one epoch on the workers, and keep what all parts train."""
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
        # What is held here would stay on the workers: tables of every round.
        del rounds
        for n_done, _ in enumerate(completed, 1):
            progress(n_done / len(plan))
        found = client.gather(shared)
        check_finite(found["tables"], epoch, rate_at(0.0))
        self._shared = found

    def _rounds(self, epoch: int) -> list[np.ndarray]:
        """Return which parts are trained in each round: of every worker one, in an order drawn anew each epoch."""
        rng = np.random.default_rng(spawned(self._seeds, epoch, 5))
        n_workers = self._n_workers
        of_workers = [rng.permutation(np.arange(w, self._n_parts, n_workers)) for w in range(n_workers)]
        n_rounds = max(len(parts) for parts in of_workers)
        return [np.array([parts[r] for parts in of_workers if r < len(parts)]) for r in range(n_rounds)]

    def _seed(self, part: int) -> dict[str, Any]:
        """Return what a part's draws are seeded with, as plain numbers."""
        return {"entropy": self._seeds.entropy, "key": [*self._seeds.spawn_key, 0, 4, part]}

    def _take(self) -> None:
        """Write what was trained into the tables and sums here."""
        self._take_own()
        for mine, theirs in ((self._tables, self._shared["tables"]), (self._sums, self._shared["sums"])):
            for name, array in theirs.items():
                mine[name][...] = array
        del self._ahead[: self._n_done]
        self._n_done = 0
        # Workers that were lost once are not trusted for many epochs at first.
        self._stride = min(2 * self._stride, MOST_TO_REPEAT if self._own else 1)
