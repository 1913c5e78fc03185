"""Threads and processes: usable cores, threads of Numba and BLAS, and Python's start method."""

from __future__ import annotations

import math
import multiprocessing
import os
import warnings
from pathlib import Path
from typing import NamedTuple

# The CPU quota of a Linux control group: microseconds of CPU time per period, and the period in microseconds.
_QUOTA = "/sys/fs/cgroup/cpu.max"


class Threads(NamedTuple):
    """The number of cores and threads, the threading layer, the start method, and whether threads survive a fork."""

    cores: int
    threads: int
    blas_threads: int | None
    threading_layer: str
    start_method: str
    survives_fork: bool


def threads() -> Threads:
    """Return the number of threads on this machine, and Python's start method for processes."""
    import numba
    from threadpoolctl import threadpool_info

    from vsenumba.kernels.threads import runs_gnu_openmp

    layer = _threading_layer()
    blas = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    return Threads(
        cores=usable_cores(),
        # Numba cannot report the current number without a threading layer.
        threads=numba.config.NUMBA_NUM_THREADS,
        blas_threads=max(blas, default=None),
        threading_layer=layer,
        # The first one is the default. get_start_method would fix it for this process.
        start_method=multiprocessing.get_all_start_methods()[0],
        survives_fork=not runs_gnu_openmp(),
    )


def usable_cores(quota: str = _QUOTA) -> int:
    """Return the number of cores that this process may use, by its affinity and, in a container, by its quota."""
    affinity = getattr(os, "sched_getaffinity", None)
    n_cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    try:
        most, period = Path(quota).read_text(encoding="ascii").split()
        return min(n_cores, max(1, math.ceil(int(most) / int(period))))
    except (OSError, ValueError):  # no control group, or "max"
        return n_cores


def _threading_layer() -> str:
    """Return Numba's threading layer, which Numba selects when the first parallel kernel runs."""
    import numba
    import numpy as np

    from vsenumba.samplers import AdaptiveSampler

    if numba.config.DISABLE_JIT:
        return "none: compilation is off"
    sampler = AdaptiveSampler()
    with warnings.catch_warnings():
        # Cache problems are reported separately.
        warnings.simplefilter("ignore")
        try:
            sampler.refresh(sampler.state(np.ones(2, np.int64), 2, 1), np.ones((2, 2), np.float32))
            return str(numba.threading_layer())
        except ValueError as error:
            return f"none: {error}"
