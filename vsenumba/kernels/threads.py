"""Threads: how many a kernel gets, set around a call and put back."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numba

from vsenumba.errors import InputError

# The "workqueue" layer aborts the process when two Python threads launch parallel kernels at once, and which layer
# runs is known only after the first launch.
_LAUNCH = threading.RLock()


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
    if isinstance(n_threads, bool) or int(n_threads) != n_threads or n_threads < 1:
        raise InputError(f"n_threads must be a whole number of at least 1 or None, not {n_threads!r}")
    if n_threads > available:
        warnings.warn(f"n_threads={n_threads} reduced to the {available} there are", UserWarning, stacklevel=3)
    return min(int(n_threads), available)


@contextmanager
def threads(n_threads: int | None) -> Iterator[int]:
    """Run the kernels launched inside on `n_threads` threads, then restore the former number."""
    n_threads = thread_count(n_threads)
    with _LAUNCH:
        before = numba.get_num_threads()
        numba.set_num_threads(n_threads)
        try:
            yield n_threads
        finally:
            numba.set_num_threads(before)
