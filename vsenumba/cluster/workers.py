"""Connect to a cluster, and check it before anything is sent."""

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
    """Check that Dask is installed.

    Raises
    ------
    ClusterError
        If Dask is not installed.
    """
    if importlib.util.find_spec("distributed") is None:
        raise ClusterError('training on a cluster needs Dask: pip install "vsenumba[dask]"')


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Return a context manager that connects to a scheduler.

    Raises
    ------
    ClusterError
        If no scheduler answers at the address.
    """
    check_dask()
    from distributed import Client
    from distributed.comm.addressing import get_address_host_port

    try:
        # Without a scheduler, Dask's client waits for half a minute and warns again when it is garbage-collected.
        with socket.create_connection(get_address_host_port(address, strict=True), timeout=_SECONDS_TO_CONNECT):
            pass
        client = Client(address, timeout=_SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"no scheduler answers at {address}: give the address that 'dask scheduler' prints, such as tcp://host:8786"
        ) from error
    # If the scheduler is lost, Dask's client logs a traceback. Our error is enough.
    log = logging.getLogger("distributed.client")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with client:
            yield client
    finally:
        log.setLevel(level)


def check_client(client: Any) -> None:
    """Check that an object is a connected client of a Dask cluster.

    Raises
    ------
    InputError
        If it is not a ``distributed.Client``, or if it is asynchronous.
    ClusterError
        If the client is closed, or Dask is not installed.
    """
    check_dask()
    from distributed import Client

    if not isinstance(client, Client):
        raise InputError(f"client must be a distributed.Client, not {client!r}")
    if client.asynchronous:
        raise InputError("client must not be asynchronous; create it with asynchronous=False")
    if client.status != "running":
        raise ClusterError(f"the client is {client.status}: connect to the scheduler again")


def ready_workers(client: Any) -> list[str]:
    """Check all workers, and return their addresses in order.

    Raises
    ------
    ClusterError
        If there are no workers, or a worker has another version of the package.
    InputError
        If a worker runs several tasks at a time.
    """
    threads = client.nthreads()
    if not threads:
        raise ClusterError("the cluster has no workers: start one per machine with 'dask worker --nthreads 1'")
    for address, n_threads in threads.items():
        if n_threads != 1:
            raise InputError(
                f"the worker {address} runs {n_threads} tasks at a time, but one task uses all threads: start one "
                "worker per machine with nthreads=1 (dask worker --nthreads 1)"
            )
    ours = importlib.metadata.version("vsenumba")

    # Dask sends a nested function as code, so it also runs on a worker that cannot import the package.
    def version() -> str | None:
        import importlib.metadata

        try:
            return importlib.metadata.version("vsenumba")
        except importlib.metadata.PackageNotFoundError:
            return None

    for address, theirs in client.run(version).items():
        if theirs != ours:
            has = "does not have vsenumba" if theirs is None else f"has vsenumba {theirs}"
            raise ClusterError(
                f"the worker {address} {has}, and needs {ours}, the version on this machine: install it there"
            )
    return sorted(threads)


def await_workers(client: Any, error: BaseException, advice: str) -> None:
    """Wait for a worker after workers were lost with the given error.

    Raises
    ------
    ClusterError
        If the connection to the scheduler was lost as well or if no worker comes. The message ends with `advice`.
    """
    if client.status != "running":
        raise ClusterError(f"the connection to the scheduler was lost ({client.status}): {advice}") from error
    try:
        client.wait_for_workers(1, timeout=_SECONDS_TO_WAIT)
    except TimeoutError:
        raise ClusterError(
            f"all workers were lost, and none came within {_SECONDS_TO_WAIT} seconds: start workers, then {advice}"
        ) from error


def least_memory(client: Any) -> float:
    """Return the bytes of the smallest memory limit among the workers; infinite if no worker has a limit."""

    def limit(dask_worker: Any) -> int | None:
        found: int | None = dask_worker.memory_manager.memory_limit
        return found

    return min((one for one in client.run(limit).values() if one), default=math.inf)
