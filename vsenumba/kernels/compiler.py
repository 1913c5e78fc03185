"""How this package compiles: one decorator for kernels, one for functions that differ by the class of a tuple."""

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

# "0" keeps compiled code out of the on-disk cache, for read-only or shared installations.
CACHE = os.environ.get("VSENUMBA_CACHE", "1") != "0"

# Sums may be reordered, which is what makes dot products vectors; NaN and inf stay what they are.
FASTMATH = frozenset({"contract", "reassoc", "nsz", "arcp"})

OPTIONS: dict[str, Any] = {
    "nogil": True,
    "fastmath": set(FASTMATH),
    # Division by zero gives inf, as in NumPy: a check for it would be an exit path inside the parallel loops.
    "error_model": "numpy",
    # Kernels make no arrays, so nothing needs a reference count; counting cost 14 to 24 % of a step, and without it
    # a kernel that allocates does not compile.
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
    """Compile a function with the package's options, at its first call, into the on-disk cache.

    Parameters
    ----------
    function : callable
        Takes arrays, scalars and named tuples of these; never raises, and makes no arrays.
    parallel : bool
        Whether its ``prange`` loops run on several threads. It is then called from Python alone, one at a time in a
        process; see `vsenumba.kernels.threads.launching`.
    finite : bool
        Whether the compiler may assume that there is no NaN, which a vectorised maximum needs.
    inline : bool
        Whether it always becomes part of its callers: for what runs at every step, where passing arrays costs as much
        as the work.
    counted : bool
        Whether references to arrays are counted, which calls of BLAS cannot do without.
    """
    if function is None:
        return functools.partial(kernel, parallel=parallel, finite=finite, inline=inline, counted=counted)
    options = OPTIONS | {"fastmath": set(FASTMATH | {"nnan"}) if finite else set(FASTMATH), "_nrt": counted}
    compiled = numba.njit(parallel=parallel, forceinline=inline, **options)(function)
    # As ``cache=True`` does it, with a cache that may fail.
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
    """Have the on-disk cache store a class from outside this package itself, not the name of its module.

    The cache files compiled code under the classes it was compiled for. Where one cannot be imported, as the next
    process knows nothing of the script it came from, all code in the same file of the cache would be out of reach.
    """
    if cls.__module__.partition(".")[0] != __name__.partition(".")[0]:
        cloudpickle.register_pickle_by_value(sys.modules[cls.__module__])


def dispatched(prototype: Callable[..., Any]) -> Any:
    """Make a function whose implementation is chosen by the class of its first argument, a named tuple.

    The result can be called from Python and from kernels alike; ``result.implement(cls)`` registers the
    implementation for one class, ``result.implement(object)`` that for all classes without one. A kernel that calls it
    is compiled once per class and found again in the on-disk cache, which is not so for functions that are passed as
    arguments.

    ``result.implement(cls, target="cuda")`` registers another implementation for kernels of one of Numba's targets,
    which goes before the one without a target. Python has no target, and calls that.

    Parameters
    ----------
    prototype : callable
        Gives the parameter names and the docstring; its body says what is wrong when no implementation fits.
    """
    generic: Any = functools.singledispatch(prototype)
    # By target; "generic" is Numba's name for all of them.
    implementations: dict[str, dict[type, Callable[..., Any]]] = {}

    def of(target: str) -> dict[type, Callable[..., Any]]:
        """Return the implementations for a target, which the compiler is told of when it gets its first."""
        if target in implementations:
            return implementations[target]
        by_class = implementations[target] = {}

        @functools.wraps(prototype)
        def choose(*arguments: Any) -> Callable[..., Any] | None:
            # Only the compiler calls it, and then no coverage is measured.
            cls = getattr(arguments[0], "instance_class", None)  # pragma: no cover
            return by_class.get(cls, by_class.get(object))  # type: ignore[arg-type]  # pragma: no cover

        choose.__signature__ = inspect.signature(prototype)  # type: ignore[attr-defined]  # numba binds arguments by it
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
