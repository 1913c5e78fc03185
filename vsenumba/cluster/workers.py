"""What a cluster must be like, looked at before anything is sent."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import logging
import math
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vsenumba.errors import ClusterError, InputError

_SECONDS_TO_CONNECT = 10
_SECONDS_TO_WAIT = 60


def check_dask() -> None:
    """Make sure that Dask is installed.

    Raises
    ------
    ClusterError
        If it is not.
    """
    if importlib.util.find_spec("distributed") is None:
        raise ClusterError('a cluster needs Dask: pip install "vsenumba[dask]"')


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Connect to a scheduler inside.

    Raises
    ------
    ClusterError
        If none answers at the address.
    """
    check_dask()
    from distributed import Client
    from distributed.comm.addressing import get_address_host_port

    try:
        # A client that finds no scheduler takes half a minute to say so, and complains once more when it is collected.
        with socket.create_connection(get_address_host_port(address, strict=True), timeout=_SECONDS_TO_CONNECT):
            pass
        client = Client(address, timeout=_SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"no scheduler answers at {address}: give the address that 'dask scheduler' prints, such as tcp://host:8786"
        ) from error
    # Of a scheduler that is lost Dask's client logs a traceback; an error says it in one line.
    log = logging.getLogger("distributed.client")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with client:
            yield client
    finally:
        log.setLevel(level)


def check_client(client: Any) -> None:
    """Refuse what is no client of a cluster that runs.

    Raises
    ------
    InputError
        If it is no ``distributed.Client``, or one for asynchronous programs.
    ClusterError
        If it is closed, or Dask is not installed.
    """
    check_dask()
    from distributed import Client

    if not isinstance(client, Client):
        raise InputError(f"client must be a distributed.Client, not {client!r}")
    if client.asynchronous:
        raise InputError("client must not be asynchronous: the workers are waited for")
    if client.status != "running":
        raise ClusterError(f"the client is {client.status}: connect to the scheduler anew")


def ready_workers(client: Any) -> list[str]:
    """Return the addresses of the workers, in order, having made sure that each can work.

    Raises
    ------
    ClusterError
        If there are none, or one has not this version of the package.
    InputError
        If one would run several tasks at a time.
    """
    threads = client.nthreads()
    if not threads:
        raise ClusterError("the cluster has no workers: start some, one process a machine (dask worker --nthreads 1)")
    for address, n_threads in threads.items():
        if n_threads != 1:
            raise InputError(
                f"the worker {address} runs {n_threads} tasks at a time, and one takes all of Numba's threads: start "
                "workers with nthreads=1, one process a machine (dask worker --nthreads 1)"
            )
    ours = importlib.metadata.version("vsenumba")

    # A function within a function travels whole: a worker without the package could not look it up.
    def version() -> str | None:
        import importlib.metadata

        try:
            return importlib.metadata.version("vsenumba")
        except importlib.metadata.PackageNotFoundError:
            return None

    for address, theirs in client.run(version).items():
        if theirs != ours:
            has = "does not have vsenumba" if theirs is None else f"has vsenumba {theirs}"
            raise ClusterError(f"the worker {address} {has}, and needs {ours}, which is installed here")
    return sorted(threads)


def await_workers(client: Any, error: BaseException, advice: str) -> None:
    """Wait for a worker after some were lost, which an error says.

    Raises
    ------
    ClusterError
        If the scheduler was lost too, with the advice; or if none comes.
    """
    if client.status != "running":
        raise ClusterError(f"the connection to the scheduler was lost ({client.status}): {advice}") from error
    try:
        client.wait_for_workers(1, timeout=_SECONDS_TO_WAIT)
    except TimeoutError:
        raise ClusterError(f"all workers were lost, and none has come in {_SECONDS_TO_WAIT} seconds") from error


def least_memory(client: Any) -> float:
    """Return how many bytes the worker with the least memory may use; infinite where none has a limit."""

    def limit(dask_worker: Any) -> int | None:
        found: int | None = dask_worker.memory_manager.memory_limit
        return found

    return min((one for one in client.run(limit).values() if one), default=math.inf)
