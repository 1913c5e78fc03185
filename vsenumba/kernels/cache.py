"""The on-disk cache of compiled code, which kernels do without where it cannot be written or read."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, ClassVar

import numba
from numba.core.caching import FunctionCache

_AGAIN = "each process compiles anew, which takes a minute or more: set NUMBA_CACHE_DIR to a folder that you can write"


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
        if self.cache_path is None:
            what = f"NUMBA_CACHE_DIR={asked} cannot be written" if asked else "no folder for it can be written"
            warn_once(f"compiled code is not kept: {what}, so that {_AGAIN}")
        elif asked and not Path(self.cache_path).is_relative_to(asked):
            warn_once(f"NUMBA_CACHE_DIR={asked} cannot be written; compiled code is kept in {self.cache_path}")
        try:
            return super().load_overload(sig, target_context)
        except Exception as error:  # noqa: BLE001  # whatever reading a pickle that is cut or overwritten may raise
            warn_once(
                f"the compiled code in {self.cache_path} cannot be read ({_said(error)}) and is made anew; if it comes "
                "again, empty that folder, or set NUMBA_CACHE_DIR to another"
            )
            self._write(self.flush)
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the code for a signature, where that can be done."""
        self._write(lambda: super(KernelCache, self).save_overload(sig, data))

    def _write(self, write: Any) -> None:
        try:
            write()
        except OSError as error:
            warn_once(f"{self.cache_path} cannot be written ({_said(error)}), so that {_AGAIN}")
            self.disable()


def warn_once(what: str) -> None:
    """Warn of the first kernel whose cache does not work: what holds for one holds for nearly all."""
    if not KernelCache.warned:
        KernelCache.warned = True
        warnings.warn(what, UserWarning, stacklevel=3)


def _said(error: Exception) -> str:
    return getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
