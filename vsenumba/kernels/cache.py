"""The on-disk cache of compiled code. Without a usable cache, kernels are compiled in every process."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, ClassVar

import numba
from numba.core.caching import FunctionCache

_AGAIN = "each process compiles again, which takes a minute or more: set NUMBA_CACHE_DIR to a folder you can write to"


class KernelCache(FunctionCache):  # type: ignore[misc]  # Numba has no types
    """The on-disk cache of one kernel, which never stops the kernel from running.

    Numba's own cache raises an error at import if it finds no folder for the code, as in a read-only installation
    without a writable home. It also raises an error at a call if the disk is full or a file is damaged. In all these
    cases this cache compiles the kernel for the current process only, and warns once.

    Parameters
    ----------
    function : callable
        The function that is compiled.
    """

    #: Whether a warning was given in this process.
    warned: ClassVar[bool] = False

    def __init__(self, function: Any) -> None:
        try:
            super().__init__(function)
        except (RuntimeError, OSError):
            self._cache_path = None
            self.disable()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the cached code for a signature, or None if there is none or it cannot be read."""
        asked = numba.config.CACHE_DIR
        if self.cache_path is None:
            what = f"NUMBA_CACHE_DIR={asked} cannot be written" if asked else "no folder for it can be written"
            warn_once(f"compiled code is not kept: {what}, so {_AGAIN}")
        elif asked and not Path(self.cache_path).is_relative_to(asked):
            warn_once(f"NUMBA_CACHE_DIR={asked} cannot be written; compiled code is kept in {self.cache_path}")
        try:
            return super().load_overload(sig, target_context)
        except Exception as error:  # noqa: BLE001  # reading a damaged pickle may raise anything
            warn_once(
                f"the compiled code in {self.cache_path} cannot be read ({_said(error)}) and is compiled again; if "
                "this warning returns, empty that folder, or set NUMBA_CACHE_DIR to another one"
            )
            self._write(self.flush)
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Store the code for a signature if possible."""
        self._write(lambda: super(KernelCache, self).save_overload(sig, data))

    def _write(self, write: Any) -> None:
        try:
            write()
        except OSError as error:
            warn_once(f"{self.cache_path} cannot be written ({_said(error)}), so {_AGAIN}")
            self.disable()


def warn_once(what: str) -> None:
    """Warn if this is the first kernel whose cache does not work; nearly all others then have the same problem."""
    if not KernelCache.warned:
        KernelCache.warned = True
        warnings.warn(what, UserWarning, stacklevel=3)


def _said(error: Exception) -> str:
    return getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
