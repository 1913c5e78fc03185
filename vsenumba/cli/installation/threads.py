"""Threads and processes: the cores of this machine, the threads of Numba and BLAS, and how Python starts processes."""

from __future__ import annotations

import math
import multiprocessing
import os
import warnings
from pathlib import Path
from typing import NamedTuple

# What a control group of Linux may use: microseconds of processor time, and in how many microseconds.
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
    """Return how many threads work here, and how processes are started."""
    import numba
    from threadpoolctl import threadpool_info

    from vsenumba.kernels.threads import runs_gnu_openmp

    layer = _threading_layer()
    blas = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    return Threads(
        cores=usable_cores(),
        # Without a layer Numba cannot tell how many there are now.
        threads=numba.config.NUMBA_NUM_THREADS,
        blas_threads=max(blas, default=None),
        threading_layer=layer,
        # The first is the default; to ask for it by get_start_method would settle it for this process.
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
    """Return the layer that Numba chooses, which it does at the first parallel launch."""
    import numba
    import numpy as np

    from vsenumba.samplers import AdaptiveSampler

    if numba.config.DISABLE_JIT:
        return "none: compilation is off"
    sampler = AdaptiveSampler()
    with warnings.catch_warnings():
        # A cache that cannot be used is among the problems.
        warnings.simplefilter("ignore")
        try:
            sampler.refresh(sampler.state(np.ones(2, np.int64), 2, 1), np.ones((2, 2), np.float32))
            return str(numba.threading_layer())
        except ValueError as error:
            return f"none: {error}"
