"""The compiler and its cache: whether Numba compiles, and where it keeps the compiled code."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple


class Compiler(NamedTuple):
    """Whether code is compiled; whether it is kept, where, and whether that folder can be written."""

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
    """Return the folder for the compiled code of one of this package's files; None if it is not kept."""
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
    """Return where the code of all files is kept, as Numba chooses for this package's files."""
    if path.name == "__pycache__":
        return str(path.parents[1] / "*" / "__pycache__")
    # Below the folder of NUMBA_CACHE_DIR, or of the user, there is one for each folder of source files.
    return str(path.parent)
