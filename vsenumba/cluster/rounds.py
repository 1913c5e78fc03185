"""Training on a cluster in rounds of turns, one a worker, whose changes are merged; what is trained comes on top."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, MutableMapping
from concurrent.futures import CancelledError
from typing import Any

import numpy as np

from vsenumba.cluster.merge import merged
from vsenumba.cluster.workers import check_client, ready_workers
from vsenumba.errors import ClusterError
from vsenumba.kernels.random import spawned
from vsenumba.training.divergence import check_finite

# An epoch that workers were lost in is done again so many times in a row.
_MOST_ATTEMPTS = 20
_SECONDS_TO_WAIT = 60


class TrainerInRounds(ABC):
    """Base of what trains tables on a cluster; a `vsenumba.training.run.Trainer`.

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
    """

    def __init__(
        self,
        client: Any,
        tables: MutableMapping[str, np.ndarray],
        sums: MutableMapping[str, np.ndarray],
        seeds: np.random.SeedSequence,
        n_threads: int | None = None,
    ) -> None:
        check_client(client)
        self.steps = 0
        self.seconds = 0.0
        self._client, self._tables, self._sums = client, tables, sums
        self._seeds, self._n_threads = seeds, n_threads
        self._n_workers = len(ready_workers(client))
        # The tables of which every part has rows of its own; the others are trained by all.
        self._own: list[str] = []
        self._n_parts = 0
        # Where each part lies on the cluster, and on which worker; empty where they are to be sent.
        self._sent: list[Any] = []
        self._homes: list[str] = []

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

    def run_epoch(
        self, epoch: int, rate_at: Callable[[float], float], progress: Callable[[float], object] = lambda done: None
    ) -> dict[str, float]:
        """Train one epoch; see `vsenumba.training.run.Trainer`."""
        from distributed import KilledWorker
        from distributed.comm import CommClosedError

        started = time.perf_counter()
        for attempt in range(_MOST_ATTEMPTS):
            try:
                if not self._sent:
                    self._send()
                records = self._train(epoch, rate_at, progress)
                break
            except (KilledWorker, CancelledError, CommClosedError, TimeoutError) as error:
                # The tables here are those of the epoch before.
                self._sent = []
                if attempt == _MOST_ATTEMPTS - 1:
                    raise ClusterError(f"workers were lost in {_MOST_ATTEMPTS} attempts at epoch {epoch}") from error
                self._await_workers(error)
        self.seconds += time.perf_counter() - started
        check_finite(self._tables, epoch, rate_at(0.0))
        return self._record(epoch, rate_at, records)

    def _await_workers(self, error: BaseException) -> None:
        if self._client.status != "running":
            raise ClusterError(
                f"the connection to the scheduler was lost ({self._client.status}): go on from the last checkpoint"
            ) from error
        try:
            self._client.wait_for_workers(1, timeout=_SECONDS_TO_WAIT)
        except TimeoutError:
            raise ClusterError(f"all workers were lost, and none has come in {_SECONDS_TO_WAIT} seconds") from error

    def _train(
        self, epoch: int, rate_at: Callable[[float], float], progress: Callable[[float], object]
    ) -> list[dict[str, float]]:
        """Train one epoch on the workers; bring the tables here up to date, and return the turns' records."""
        from distributed import as_completed

        client, plan = self._client, self._rounds(epoch)
        [shared] = client.scatter([self._shared()], hash=False)
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
        self._take(found)
        records: list[dict[str, float]] = found["records"]
        return records

    def _shared(self) -> dict[str, dict[str, np.ndarray]]:
        """Return the tables that all parts train, and the optimiser's sums of them."""
        names = [name for name in self._tables if name not in self._own]
        return {
            "tables": {name: self._tables[name] for name in names},
            "sums": {name: self._sums[name] for name in names if name in self._sums},
        }

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

    def _take(self, shared: dict[str, Any]) -> None:
        """Write what was trained into the tables and sums here."""
        for mine, theirs in ((self._tables, shared["tables"]), (self._sums, shared["sums"])):
            for name, array in theirs.items():
                mine[name][...] = array
