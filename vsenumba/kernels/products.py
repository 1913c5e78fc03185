"""Matrix products with BLAS, on the threads of the other kernels.

If BLAS used its own threads as well, both sets of threads would wait for each other in busy loops. On two cores this
made training steps twice as slow. So BLAS gets one thread, and is called once per Numba thread. With more BLAS threads
it could also hang inside a parallel loop.
"""

from __future__ import annotations

import numba
import numpy as np
from numba import prange

from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.gate import readable
from vsenumba.kernels.threads import launching, one_blas_thread


def product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return ``left @ right`` of two float32 arrays, (n, k) and (k, m)."""
    left = readable("the left factor", left, (None, None))
    right = readable("the right factor", right, (left.shape[1], None))
    result = np.empty((len(left), right.shape[1]), np.float32)
    with launching(), one_blas_thread():
        _product(left, right, min(numba.get_num_threads(), max(len(left), 1)), result)
    return result


def product_of_transposed(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return ``left.T @ right`` of two float32 arrays, (n, k) and (n, m)."""
    left = readable("the left factor", left, (None, None))
    right = readable("the right factor", right, (len(left), None))
    parts = np.empty((min(numba.get_num_threads(), max(len(left), 1)), left.shape[1], right.shape[1]), np.float32)
    with launching(), one_blas_thread():
        _product_of_transposed(left, right, parts)
    for part in parts[1:]:
        parts[0] += part
    return parts[0]


@kernel(parallel=True, counted=True)
def _product(left, right, n_tasks, result):
    n = left.shape[0]
    for task in prange(n_tasks):
        begin, end = n * task // n_tasks, n * (task + 1) // n_tasks
        np.dot(left[begin:end], right, result[begin:end])


@kernel(parallel=True, counted=True)
def _product_of_transposed(left, right, parts):
    n, n_tasks = left.shape[0], parts.shape[0]
    for task in prange(n_tasks):
        begin, end = n * task // n_tasks, n * (task + 1) // n_tasks
        np.dot(left[begin:end].T, right[begin:end], parts[task])
