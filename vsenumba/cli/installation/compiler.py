"""The state of Numba's compiler and its cache."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple


class Compiler(NamedTuple):
    """Whether the compiler and its cache are on, the cache folder, and whether it is writable."""

    compilation: str
    cache: str
    cache_folder: str
    cache_writable: str


def compiler() -> Compiler:
    """Return the state of the compiler and of its cache."""
    import numba

    from vsenumba.kernels.compiler import CACHE

    path = _cache_path()
    return Compiler(
        compilation="off (NUMBA_DISABLE_JIT)" if numba.config.DISABLE_JIT else "on",
        cache="on" if CACHE else "off (VSENUMBA_CACHE=0)",
        cache_folder="none" if path is None else _shared_folder(path),
        cache_writable=_writable(path),
    )


def _cache_path() -> Path | None:
    """Return the cache folder for one of this package's files; None if there is no cache."""
    import numba

    from vsenumba.kernels.compiler import CACHE
    from vsenumba.kernels.orders import refresh_orders

    if numba.config.DISABLE_JIT or not CACHE:
        return None
    path: str | None = refresh_orders.compiled.stats.cache_path
    return None if path is None else Path(path)


def _writable(path: Path | None) -> str:
    if path is None:
        return "no"
    try:
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(bytes(1 << 16))
            file.flush()
    except OSError as error:
        return f"no: {error.strerror}"
    return "yes"


def _shared_folder(path: Path) -> str:
    """Return the folder with the compiled code of all files of this package."""
    if path.name == "__pycache__":
        return str(path.parents[1] / "*" / "__pycache__")
    # NUMBA_CACHE_DIR, or the user's cache folder, has one subfolder for each folder of source files.
    return str(path.parent)
