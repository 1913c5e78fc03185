"""The on-disk cache of compiled code, which kernels do without where it cannot be written or read."""

from __future__ import annotations

import os
import warnings
from typing import Any, ClassVar

import numba
from numba.core.caching import FunctionCache


class KernelCache(FunctionCache):  # type: ignore[misc]  # Numba has no types
    """The cache of one kernel.

    Numba refuses to import a function for whose code it finds no folder, as in a read-only installation without a
    writable home; and a full disk or a cut file ends the call. Here the kernel is compiled, for this process alone, and
    a warning is given at the first such kernel.

    Parameters
    ----------
    function : callable
        What is compiled.
    """

    #: Whether the warning was given.
    warned: ClassVar[bool] = False

    def __init__(self, function: Any) -> None:
        try:
            super().__init__(function)
        except (RuntimeError, OSError):
            self._cache_path = None
            self.disable()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the code that is kept for a signature, None where there is none or it cannot be read."""
        asked = numba.config.CACHE_DIR
        if self.cache_path is None or (asked and not within(self.cache_path, asked)):
            where = "nowhere" if self.cache_path is None else self.cache_path
            what = f"NUMBA_CACHE_DIR={asked} cannot be written" if asked else "no folder for it can be written"
            warn_once(f"compiled code is kept {where}: {what}")
        try:
            return super().load_overload(sig, target_context)
        except Exception as error:  # whatever reading a pickle that is cut or overwritten may raise
            warn_once(f"the compiled code in {self.cache_path} cannot be read ({_said(error)}) and is made anew")
            self._write(self.flush)
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the code for a signature, where that can be done."""
        self._write(lambda: super(KernelCache, self).save_overload(sig, data))

    def _write(self, write: Any) -> None:
        try:
            write()
        except OSError as error:
            warn_once(f"compiled code cannot be kept in {self.cache_path} ({_said(error)})")
            self.disable()


def within(path: str, folder: str) -> bool:
    """Return whether a path lies in a folder, or in one of its folders."""
    path, folder = os.path.abspath(path), os.path.abspath(folder)
    return os.path.commonpath([path, folder]) == folder


def warn_once(what: str) -> None:
    """Warn of the first kernel whose cache does not work: what holds for one holds for nearly all."""
    if not KernelCache.warned:
        KernelCache.warned = True
        warnings.warn(
            f"{what}; the next process may have to compile again, which takes a minute: set NUMBA_CACHE_DIR to a "
            "folder that you can write",
            UserWarning,
            stacklevel=3,
        )


def _said(error: Exception) -> str:
    return getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
