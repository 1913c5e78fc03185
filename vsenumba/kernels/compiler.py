"""The decorators that compile this package: one for kernels, and one for functions dispatched by a tuple's class."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import numba
from numba import cloudpickle
from numba.core.caching import NullCache
from numba.extending import overload

from vsenumba.kernels.cache import KernelCache
from vsenumba.kernels.threads import launching

F = TypeVar("F", bound=Callable[..., Any])

# With VSENUMBA_CACHE=0 there is no on-disk cache, for read-only or shared installations.
CACHE = os.environ.get("VSENUMBA_CACHE", "1") != "0"

# Sums may be reordered, so that dot products become vector code. NaN and infinities keep their meaning.
FASTMATH = frozenset({"contract", "reassoc", "nsz", "arcp"})

OPTIONS: dict[str, Any] = {
    "nogil": True,
    "fastmath": set(FASTMATH),
    # Division by zero gives an infinity, as in NumPy. A check would add an exit to the parallel loops.
    "error_model": "numpy",
    # Kernels make no arrays, so they need no reference counts, which took 14 to 24 % of the time of a step. With this
    # option, a kernel that allocates does not compile.
    "_nrt": False,
}


def kernel(
    function: F | None = None,
    *,
    parallel: bool = False,
    finite: bool = False,
    inline: bool = False,
    counted: bool = False,
) -> Any:
    """Compile a function with the package's options at its first call, and keep the code in the on-disk cache.

    Parameters
    ----------
    function : callable
        A function of arrays, scalars and named tuples of these. It must not raise errors or make arrays.
    parallel : bool
        Whether its ``prange`` loops run on several threads. Such a function can be called from Python only, and one at
        a time in a process; see `vsenumba.kernels.threads.launching`.
    finite : bool
        Whether the compiler may assume that there is no NaN. A maximum needs this to become vector code.
    inline : bool
        Whether the function always becomes part of its callers. This suits small functions that run in every step,
        where passing arrays takes as long as the work.
    counted : bool
        Whether references to arrays are counted, which calls of BLAS need.

    Returns
    -------
    callable
        The compiled function.
    """
    if function is None:
        return functools.partial(kernel, parallel=parallel, finite=finite, inline=inline, counted=counted)
    options = OPTIONS | {"fastmath": set(FASTMATH | {"nnan"}) if finite else set(FASTMATH), "_nrt": counted}
    compiled = numba.njit(parallel=parallel, forceinline=inline, **options)(function)
    # The same as ``cache=True``, but with a cache that may fail.
    compiled._cache = KernelCache(function) if CACHE and not numba.config.DISABLE_JIT else NullCache()
    if not parallel:
        return compiled

    @functools.wraps(function)
    def launch(*arguments: Any) -> Any:
        with launching():
            return compiled(*arguments)

    launch.compiled = compiled  # type: ignore[attr-defined]
    return launch


def _keep_with_code(cls: type) -> None:
    """Make the on-disk cache store a class from outside this package by value, not by the name of its module.

    The cache stores compiled code under the classes that it was compiled for. If the next process cannot import one of
    these classes, because it comes from a script, all code in the same file of the cache is lost.
    """
    if cls.__module__.partition(".")[0] != __name__.partition(".")[0]:
        cloudpickle.register_pickle_by_value(sys.modules[cls.__module__])


def dispatched(prototype: Callable[..., Any]) -> Any:
    """Make a function whose implementation is selected by the class of its first argument, a named tuple.

    Python and kernels can call the result. ``result.implement(cls)`` is a decorator that registers the implementation
    for one class. ``result.implement(object)`` registers the one for all other classes. A kernel that calls the result
    is compiled once per class, and its code is kept in the on-disk cache. (Numba does not cache kernels that receive
    functions as arguments.)

    ``result.implement(cls, target="cuda")`` registers an implementation for kernels of one of Numba's targets. There it
    takes precedence over the implementation without a target. Python always calls the one without a target.

    Parameters
    ----------
    prototype : callable
        A function with the parameters and the docstring. Its body raises the error for a class without an
        implementation.

    Returns
    -------
    callable
        The dispatched function.
    """
    generic: Any = functools.singledispatch(prototype)
    # The implementations by target. Numba calls the target for all devices "generic".
    implementations: dict[str, dict[type, Callable[..., Any]]] = {}

    def of(target: str) -> dict[type, Callable[..., Any]]:
        """Return the implementations for a target. The first use of a target registers it with the compiler."""
        if target in implementations:
            return implementations[target]
        by_class = implementations[target] = {}

        @functools.wraps(prototype)
        def choose(*arguments: Any) -> Callable[..., Any] | None:
            # Only the compiler calls this function, and coverage is measured without the compiler.
            cls = getattr(arguments[0], "instance_class", None)  # pragma: no cover
            return by_class.get(cls, by_class.get(object))  # type: ignore[arg-type]  # pragma: no cover

        choose.__signature__ = inspect.signature(prototype)  # type: ignore[attr-defined]  # for Numba
        overload(generic, jit_options=OPTIONS | {"forceinline": True}, target=target)(choose)
        return by_class

    def implement(cls: type, target: str = "generic") -> Callable[[F], F]:
        def register(function: F) -> F:
            if cls is not object:
                _keep_with_code(cls)
            of(target)[cls] = function
            if target == "generic":
                generic.register(cls)(function)
            return function

        return register

    of("generic")
    generic.implement = implement
    return generic
