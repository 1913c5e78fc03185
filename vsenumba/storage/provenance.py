"""Provenance of a file: the versions of the software that wrote it."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("vsenumba", "numpy", "numba", "scipy", "h5py")


def provenance() -> dict[str, str]:
    """Return the versions of the package, its dependencies, Python and the platform.

    The result contains no time and no machine name, so writing the same content twice gives the same bytes.
    """
    return {name: _installed_version(name) for name in PACKAGES} | {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }


def _installed_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
