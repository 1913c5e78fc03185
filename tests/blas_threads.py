"""The threads of the BLAS that NumPy and SciPy call."""

from __future__ import annotations

from threadpoolctl import threadpool_info


def blas_threads():
    """Return the number of threads of each library.

    faiss has a library of its own, which NumPy never calls, and whose number of threads is one for each thread.
    """
    libraries = [one for one in threadpool_info() if one["user_api"] == "blas" and "faiss" not in one["filepath"]]
    return [one["num_threads"] for one in libraries]
