"""The one place that imports `cuda`: which package it comes from, whether it is simulated, and what is missing.

``numba.cuda`` is a name with several homes. Numba has a CUDA target of its own; the package numba-cuda, where it is
installed, puts itself in its place. Their successor, numba-cuda-mlir, has a module of its own, which is taken where
``numba.cuda`` no longer exists, or where the environment variable VSENUMBA_CUDA says so.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

import numba

from vsenumba.errors import DeviceError, InputError

F = TypeVar("F", bound=Callable[..., Any])

# Whether kernels run as Python, one thread of the processor for each of the card's: NUMBA_ENABLE_CUDASIM=1.
SIMULATED = bool(numba.config.ENABLE_CUDASIM)

INSTALL = (
    'pip install "vsenumba[cuda13]" (driver 580 or newer) or "vsenumba[cuda12]" (driver 525 or newer) installs all but '
    "the driver"
)


class _Home(NamedTuple):
    """Where `cuda` may come from: the module, and the package that is installed for it."""

    module: str
    package: str


# In the order of preference, by what VSENUMBA_CUDA calls them. Numba's own target lacks what numba-cuda brings.
_HOMES = {"numba": _Home("numba.cuda", "numba-cuda"), "mlir": _Home("numba_cuda_mlir.cuda", "numba-cuda-mlir")}


def _chosen_homes() -> list[_Home]:
    chosen = os.environ.get("VSENUMBA_CUDA")
    if not chosen:
        return list(_HOMES.values())
    if chosen not in _HOMES:
        raise InputError(f"the environment variable VSENUMBA_CUDA must be one of {', '.join(_HOMES)}, not {chosen!r}")
    return [_HOMES[chosen]]


def _cuda() -> tuple[ModuleType, _Home]:
    homes = _chosen_homes()
    for home in homes:
        try:
            return importlib.import_module(home.module), home
        except ModuleNotFoundError:  # of two, a Numba without the target
            continue
    raise DeviceError(f'device="cuda" needs the package {homes[-1].package}, and it cannot be imported')


cuda: Any
cuda, _HOME = _cuda()


def device_function(function: F) -> F:
    """Compile a function for kernels to call; simulated, it stays Python."""
    if SIMULATED:
        return function
    return cuda.jit(device=True)(function)


def require_card() -> None:
    """Make sure that kernels can run.

    Raises
    ------
    DeviceError
        If they cannot; the message says what is missing and how to get it.
    """
    if SIMULATED:
        return
    for package in (_HOME.package, "cupy"):
        if importlib.util.find_spec(package.replace("-", "_")) is None:
            raise DeviceError(f'device="cuda" needs an NVIDIA card, and the package {package}: {INSTALL}')
    if not cuda.is_available():
        raise DeviceError(
            'device="cuda" needs an NVIDIA card and its driver, and none was found: the command nvidia-smi must show it'
        )
    runtime = importlib.import_module("cupy").cuda.runtime
    # In thousands: 13050 is CUDA 13.5. A driver runs what is made for other versions of its thousand.
    known, wanted = runtime.driverGetVersion() // 1000, runtime.runtimeGetVersion() // 1000
    if known < wanted:
        raise DeviceError(
            f"the driver is for CUDA {known}, and the packages installed are for CUDA {wanted}: update the driver, or "
            'install "vsenumba[cuda12]", which takes driver 525 or newer'
        )
