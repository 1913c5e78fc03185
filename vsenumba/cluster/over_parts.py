"""Work on the parts of a data set on a cluster, and yield the results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from typing import Any, NamedTuple

from vsenumba.cluster.workers import await_workers, check_client, ready_workers
from vsenumba.errors import ClusterError

# Parts per worker that are sent, in work, or waiting to be yielded. With 2, a worker has its next part at once.
_PARTS_A_WORKER = 2

# How often a part is sent again after its worker was lost.
_MOST_ATTEMPTS = 5

_ADVICE = "connect again, and repeat the call"


class _Sent(NamedTuple):
    """A part in work, with the shared object it uses and the future of its result."""

    shared: Any
    future: Any


def over_parts(
    client: Any, work: Callable[[Any, Any], Any], shared: Any, parts: Iterable[Callable[[], Any]]
) -> Iterator[Any]:
    """Apply a function to each part on the workers of a cluster.

    Only a few parts per worker are in memory at a time, here and on the workers. If a worker is lost, its part is made
    again and sent to another worker.

    Parameters
    ----------
    client : distributed.Client
        The cluster. Each worker must run one task at a time.
    work : callable
        A module-level function of ``(shared, part)``; workers import it.
    shared : object
        The data that all parts need, sent to each worker once. It must consist of arrays, numbers, strings, bytes, and
        dictionaries of these.
    parts : iterable of callables
        Functions that each return one part, of the same types as `shared`. A function is called when its part is sent.

    Returns
    -------
    iterator
        The results of ``work(shared, part)``, in the order of `parts`. Errors that `work` raises are passed on
        unchanged.

    Raises
    ------
    ClusterError
        If the cluster cannot be used, or workers are lost again and again.
    InputError
        If `client` is not a client, or a worker runs several tasks at a time.
    """
    check_client(client)
    n_workers = len(ready_workers(client))
    return _Stream(client, work, shared).run(parts, _PARTS_A_WORKER * n_workers)


class _Stream:
    def __init__(self, client: Any, work: Callable[[Any, Any], Any], shared: Any) -> None:
        from distributed.comm import CommClosedError

        self._client, self._work, self._content = client, work, shared
        self._losses = (CancelledError, CommClosedError, TimeoutError)
        self._shared: Any = None

    def run(self, parts: Iterable[Callable[[], Any]], most: int) -> Iterator[Any]:
        waiting: deque[tuple[Callable[[], Any], _Sent | None]] = deque()
        for make in parts:
            if len(waiting) == most:
                yield self._result(*waiting.popleft())
            waiting.append((make, self._begun(make)))
        while waiting:
            yield self._result(*waiting.popleft())

    def _send(self, make: Callable[[], Any]) -> _Sent:
        self._check_connection()
        if self._shared is None:
            (self._shared,) = self._client.scatter([self._content], broadcast=True, hash=False)
        (part,) = self._client.scatter([make()], hash=False)
        return _Sent(self._shared, self._client.submit(self._work, self._shared, part, pure=False))

    def _begun(self, make: Callable[[], Any]) -> _Sent | None:
        """Send a part, or return None if workers are lost meanwhile; then `_result` sends it."""
        try:
            return self._send(make)
        except self._losses:
            self._shared = None
            return None

    def _result(self, make: Callable[[], Any], sent: _Sent | None) -> Any:
        """Return the result of a part. If the part was lost with its worker, send it again."""
        from distributed import KilledWorker

        lost: BaseException | None = None
        for _ in range(_MOST_ATTEMPTS):
            try:
                sent = sent or self._send(make)
                return sent.future.result()
            except KilledWorker as error:  # the part has stopped several workers
                lost = error
                break
            except self._losses as error:
                if sent is None or sent.shared is self._shared:
                    self._shared = None  # the shared object may be lost too
                sent, lost = None, error
                await_workers(self._client, error, _ADVICE)
        raise ClusterError(
            "several workers were lost in a row with the same part: read their logs, or start workers with more memory"
        ) from lost

    def _check_connection(self) -> None:
        if self._client.status != "running":
            raise ClusterError(f"the connection to the scheduler was lost ({self._client.status}): {_ADVICE}")
