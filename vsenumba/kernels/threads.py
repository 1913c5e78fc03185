"""Threads: how many a kernel gets, and how many BLAS does, set around a call and put back; and what a fork leaves."""

from __future__ import annotations

import functools
import importlib
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numba
from threadpoolctl import ThreadpoolController

from vsenumba.checks import is_whole
from vsenumba.errors import ForkedProcessError, InputError

# The "workqueue" layer aborts the process when two Python threads launch parallel kernels at once, and which layer
# runs is known only after the first launch.
_LAUNCH = threading.RLock()

# The number of BLAS threads belongs to the process: two that set it at once would restore each other's. Who holds it
# does not wait for the lock above.
_BLAS = threading.RLock()
# Whether who holds it has done so already.
_limited = False

# Whether this process was forked from one that had GNU's OpenMP running, which ends a child that uses it.
_cut_off = False


def runs_gnu_openmp() -> bool:
    """Return whether Numba has started threads that do not survive a fork; those of its other layers do."""
    try:
        layer = numba.threading_layer()
    except ValueError:  # none was started
        return False
    if layer != "omp":
        return False
    return bool(importlib.import_module("numba.np.ufunc.omppool").openmp_vendor == "GNU")


def _begin_in_child() -> None:
    """Begin anew in a process that was forked: threads that held a lock are not here to give it back."""
    global _LAUNCH, _BLAS, _limited, _cut_off
    _LAUNCH, _BLAS, _limited = threading.RLock(), threading.RLock(), False
    _cut_off = runs_gnu_openmp()


# Systems that cannot fork have no such function.
getattr(os, "register_at_fork", lambda **_: None)(after_in_child=_begin_in_child)


@contextmanager
def launching() -> Iterator[None]:
    """Keep other parallel kernels waiting inside.

    Raises
    ------
    ForkedProcessError
        If the launch would end this process without a word, as it was forked after kernels had run.
    """
    if _cut_off:
        raise ForkedProcessError(
            "this process was forked after Numba had started threads (GNU OpenMP), which do not survive a fork; start "
            "processes by multiprocessing.get_context('spawn') or 'forkserver', or with joblib, or set the environment "
            "variable NUMBA_THREADING_LAYER=workqueue"
        )
    with _LAUNCH:
        yield


def thread_count(n_threads: int | None) -> int:
    """Return the number of threads to use: all that Numba has for None, otherwise `n_threads`.

    Raises
    ------
    InputError
        If it is not a whole number of at least 1.

    Warns
    -----
    UserWarning
        If Numba has fewer; both numbers are named.
    """
    available = numba.config.NUMBA_NUM_THREADS
    if n_threads is None:
        return int(numba.get_num_threads())
    if not is_whole(n_threads):
        raise InputError(f"n_threads must be a whole number of at least 1 or None, not {n_threads!r}")
    if n_threads > available:
        warnings.warn(f"n_threads={n_threads} reduced to the {available} there are", UserWarning, stacklevel=3)
    return min(int(n_threads), available)


@contextmanager
def threads(n_threads: int | None) -> Iterator[int]:
    """Run the kernels launched inside on `n_threads` threads, then restore the former number."""
    n_threads = thread_count(n_threads)
    with launching():
        before = numba.get_num_threads()
        numba.set_num_threads(n_threads)
        try:
            yield n_threads
        finally:
            numba.set_num_threads(before)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Leave BLAS one thread inside, where others do the work in parallel, then as many as it had."""
    global _limited
    with _BLAS:
        if _limited:
            yield
            return
        _limited = True
        try:
            with _blas(len(sys.modules)).limit(limits=1):
                yield
        finally:
            _limited = False


@functools.lru_cache(maxsize=1)
def _blas(n_modules: int) -> ThreadpoolController:
    """Return what sets the number of BLAS threads of the libraries that so many imported modules have loaded.

    To look for the libraries takes as long as a small evaluation: it is done again when modules have been imported.
    """
    return ThreadpoolController().select(user_api="blas")
