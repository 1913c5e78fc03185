"""``vsenumba info``: show the installed versions and the settings of this machine."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click

from vsenumba.cli import options
from vsenumba.cli.output import say, say_json


@click.command(epilog=options.examples("vsenumba info"))
@options.json_option
def command(as_json: bool) -> None:
    """Show versions, threads and caches, for bug reports."""
    facts = _facts()
    if as_json:
        say_json(facts)
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        say(f"{name.replace('_', ' '):<{width}}  {', '.join(value) if isinstance(value, list) else value}")


def _facts() -> dict[str, Any]:
    import numba

    from vsenumba import __version__
    from vsenumba.data import DATASETS
    from vsenumba.kernels.compiler import CACHE
    from vsenumba.storage.provenance import provenance

    return {
        **provenance(),
        "vsenumba": __version__,
        "installed_in": str(Path(__file__).parents[1]),
        "threads": numba.get_num_threads(),
        "threading_layer": _threading_layer(),
        "compilation": "off (NUMBA_DISABLE_JIT)" if numba.config.DISABLE_JIT else "on",
        "cache": "on" if CACHE else "off (VSENUMBA_CACHE=0)",
        "cache_folder": _cache_folder(),
        "cache_writable": _cache_writable(),
        "data_sets": list(DATASETS),
    }


def _threading_layer() -> str:
    """Return Numba's threading layer, which Numba chooses at the first parallel launch."""
    import numba
    import numpy as np

    from vsenumba.samplers import AdaptiveSampler

    if numba.config.DISABLE_JIT:
        return "none: compilation is off"
    sampler = AdaptiveSampler()
    sampler.refresh(sampler.state(np.ones(2, np.int64), 2, 1), np.ones((2, 2), np.float32))
    try:
        return str(numba.threading_layer())
    except ValueError as error:
        return f"none: {error}"


def _cache_path() -> str | None:
    """Return the cache folder of the compiled code of one of this package's files; None if it is not cached."""
    import numba

    from vsenumba.kernels.compiler import CACHE
    from vsenumba.kernels.orders import refresh_orders

    if numba.config.DISABLE_JIT or not CACHE:
        return None
    path: str | None = refresh_orders.compiled.stats.cache_path
    return path


def _cache_writable() -> str:
    """Return whether the cache folder is writable."""
    path = _cache_path()
    if path is None:
        return "no"
    try:
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(bytes(1 << 16))
            file.flush()
    except OSError as error:
        return f"no: {error.strerror}"
    return "yes"


def _cache_folder() -> str:
    """Return the cache folder that Numba chooses for this package's files."""
    path = _cache_path()
    if path is None:
        return "none"
    folder = Path(path)
    if folder.name == "__pycache__":
        return str(folder.parents[1] / "*" / "__pycache__")
    # NUMBA_CACHE_DIR, or the user's cache folder, has one folder for each folder of source files.
    return str(folder.parent)
