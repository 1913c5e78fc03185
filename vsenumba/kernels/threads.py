"""The number of threads of kernels and of BLAS, set for a block of code; and checks after a fork."""

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

# Numba's "workqueue" threads abort the process if two Python threads launch parallel kernels at the same time. Which
# kind of threads Numba uses is known only after the first launch.
_LAUNCH = threading.RLock()

# The number of BLAS threads is set for the whole process, so two threads that set it at once would restore the wrong
# number. A thread that holds this lock must not wait for the lock above.
_BLAS = threading.RLock()
# Whether the thread that holds the lock has already set the number.
_limited = False

# Whether this process was forked while GNU's OpenMP was running. Using it again would end this process.
_cut_off = False


def runs_gnu_openmp() -> bool:
    """Return whether Numba runs GNU OpenMP threads, which do not survive a fork; its other threads do."""
    try:
        layer = numba.threading_layer()
    except ValueError:  # no threads were started
        return False
    if layer != "omp":
        return False
    return bool(importlib.import_module("numba.np.ufunc.omppool").openmp_vendor == "GNU")


def _begin_in_child() -> None:
    """Reset the locks in a forked process, because the threads that held them do not exist there."""
    global _LAUNCH, _BLAS, _limited, _cut_off
    _LAUNCH, _BLAS, _limited = threading.RLock(), threading.RLock(), False
    _cut_off = runs_gnu_openmp()


# Systems without fork do not have `register_at_fork`.
getattr(os, "register_at_fork", lambda **_: None)(after_in_child=_begin_in_child)


@contextmanager
def launching() -> Iterator[None]:
    """Return a context manager that lets no other parallel kernel run.

    Raises
    ------
    ForkedProcessError
        If this process was forked after kernels had run, so that a launch would end it without a message.
    """
    if _cut_off:
        raise ForkedProcessError(
            "this process was forked after Numba had started threads (GNU OpenMP), which do not survive a fork; start "
            "processes with multiprocessing.get_context('spawn') or 'forkserver', or with joblib, or set the "
            "environment variable NUMBA_THREADING_LAYER=workqueue"
        )
    with _LAUNCH:
        yield


def thread_count(n_threads: int | None) -> int:
    """Check a number of threads, and return the number to use.

    Parameters
    ----------
    n_threads : int or None
        The number of threads, at least 1; None for all of Numba's threads.

    Returns
    -------
    int
        The number of threads, at most as many as Numba has.

    Raises
    ------
    InputError
        If `n_threads` is not a whole number of at least 1.

    Warns
    -----
    UserWarning
        If Numba has fewer threads; the warning names both numbers.
    """
    available = numba.config.NUMBA_NUM_THREADS
    if n_threads is None:
        return int(numba.get_num_threads())
    if not is_whole(n_threads):
        raise InputError(f"n_threads must be a whole number of at least 1 or None, not {n_threads!r}")
    if n_threads > available:
        warnings.warn(
            f"n_threads={n_threads} is reduced to {available}, the number of Numba's threads", UserWarning, stacklevel=3
        )
    return min(int(n_threads), available)


@contextmanager
def threads(n_threads: int | None) -> Iterator[int]:
    """Return a context manager that runs kernels on `n_threads` threads, and restores the previous number."""
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
    """Return a context manager that gives BLAS one thread, because the work inside is already parallel."""
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
    """Return the controller of the BLAS libraries that have been loaded so far.

    Looking for the libraries takes as long as a small evaluation. It is repeated only if more modules were imported.
    """
    return ThreadpoolController().select(user_api="blas")
