"""Work over the parts of a set, on the workers of a cluster; what comes of them is handed out in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from typing import Any, NamedTuple

from vsenumba.cluster.workers import await_workers, check_client, ready_workers
from vsenumba.errors import ClusterError

# Parts for each worker that are sent, worked on, or wait to be handed out: the next is there when one is done.
_PARTS_A_WORKER = 2

# A part that workers were lost with is done again so many times.
_MOST_ATTEMPTS = 5

_ADVICE = "connect anew, and ask again"


class _Sent(NamedTuple):
    """A part that is worked on: what it shares with the others, and what will come of it."""

    shared: Any
    future: Any


def over_parts(
    client: Any, work: Callable[[Any, Any], Any], shared: Any, parts: Iterable[Callable[[], Any]]
) -> Iterator[Any]:
    """Return an iterator of ``work(shared, part)`` of every part, in order.

    A few parts for each worker are in memory, here and there, at a time. A part whose worker is lost is made again, and
    sent to another one.

    Parameters
    ----------
    client : distributed.Client
        The cluster, with one task at a time on each worker.
    work : callable
        A function of a module, which workers import.
    shared : object
        What all parts need, plain: arrays, numbers, texts, bytes, and dictionaries of these. Every worker gets it once.
    parts : iterable of callables
        Each returns a part, as plain. It is called when the part is sent.

    Raises
    ------
    ClusterError
        If the cluster cannot work, or workers are lost again and again; what `work` raises comes as it is.
    InputError
        If the client is none, or a worker runs several tasks at a time.
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
        """Send a part; where workers are lost meanwhile, it is sent when it is its turn."""
        try:
            return self._send(make)
        except self._losses:
            self._shared = None
            return None

    def _result(self, make: Callable[[], Any], sent: _Sent | None) -> Any:
        """Return what comes of a part, which is sent again where it was lost with a worker."""
        from distributed import KilledWorker

        lost: BaseException | None = None
        for _ in range(_MOST_ATTEMPTS):
            try:
                sent = sent or self._send(make)
                return sent.future.result()
            except KilledWorker as error:  # several, one after another
                lost = error
                break
            except self._losses as error:
                if sent is None or sent.shared is self._shared:
                    self._shared = None  # it may be lost too
                sent, lost = None, error
                await_workers(self._client, error, _ADVICE)
        raise ClusterError(
            "several workers in a row were lost with the same part: see what they said, and start some with more memory"
        ) from lost

    def _check_connection(self) -> None:
        if self._client.status != "running":
            raise ClusterError(f"the connection to the scheduler was lost ({self._client.status}): {_ADVICE}")
