"""What wrote a file: the versions that a stranger needs to make sense of it."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("vsenumba", "numpy", "numba", "scipy", "h5py")


def provenance() -> dict[str, str]:
    """Return the versions of the package, of what it stands on, of Python and of the platform.

    There is no time and no machine name in it: the same content written twice gives the same bytes.
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
