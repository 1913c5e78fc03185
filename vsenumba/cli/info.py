"""``vsenumba info``: what is installed, and how it runs here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vsenumba.cli import options
from vsenumba.cli.output import say, say_json


@click.command(epilog=options.examples("vsenumba info"))
@options.json_option
def command(as_json: bool) -> None:
    """Show versions, threads and caches, as fault reports need them."""
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
        "data_sets": list(DATASETS),
    }


def _threading_layer() -> str:
    """Return the layer that Numba chooses, which it does at the first parallel launch."""
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


def _cache_folder() -> str:
    """Return where compiled code is kept, as Numba chooses for this package's files."""
    import numba

    from vsenumba.kernels.compiler import CACHE
    from vsenumba.kernels.orders import refresh_orders

    if numba.config.DISABLE_JIT or not CACHE:
        return "none"
    folder = Path(refresh_orders.stats.cache_path)
    if folder.name == "__pycache__":
        return str(folder.parents[1] / "*" / "__pycache__")
    # Below the folder of NUMBA_CACHE_DIR, or of the user, there is one for each folder of source files.
    return str(folder.parent)
