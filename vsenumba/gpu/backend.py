"""The only module that imports `cuda`: it selects the package, and reports what is missing.

Several packages provide `cuda`. Numba has its own CUDA target, the module ``numba.cuda``. The package numba-cuda
replaces it if it is installed. Their successor, numba-cuda-mlir, is used if ``numba.cuda`` does not exist, or if the
environment variable VSENUMBA_CUDA asks for it.
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

# With NUMBA_ENABLE_CUDASIM=1, kernels run in a simulator in Python, with one CPU thread for each GPU thread.
SIMULATED = bool(numba.config.ENABLE_CUDASIM)

INSTALL = (
    'run pip install "vsenumba[cuda13]" (driver 580 or newer) or pip install "vsenumba[cuda12]" (driver 525 or newer)'
)


class _Home(NamedTuple):
    """A module that provides `cuda`, and the package to install for it."""

    module: str
    package: str


# The modules in order of preference, by their value of VSENUMBA_CUDA. "numba" needs the package numba-cuda, because
# Numba's own target lacks some of its features.
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
        except ModuleNotFoundError:  # for example, a Numba version without a CUDA target
            continue
    raise DeviceError(f'device="cuda" needs the package {homes[-1].package}, which cannot be imported: install it')


cuda: Any
cuda, _HOME = _cuda()


def device_function(function: F) -> F:
    """Compile a function that kernels can call. In the simulator, the function stays in Python."""
    if SIMULATED:
        return function
    return cuda.jit(device=True)(function)


def require_card() -> None:
    """Check that kernels can run.

    Raises
    ------
    DeviceError
        If a package, the GPU or its driver is missing or too old. The message tells how to fix it.
    """
    if SIMULATED:
        return
    for package in (_HOME.package, "cupy"):
        if importlib.util.find_spec(package.replace("-", "_")) is None:
            raise DeviceError(f'device="cuda" needs an NVIDIA GPU and the package {package}: {INSTALL}')
    if not cuda.is_available():
        raise DeviceError(
            'device="cuda" needs an NVIDIA GPU and its driver, but none was found: check that nvidia-smi lists the GPU'
        )
    runtime = importlib.import_module("cupy").cuda.runtime
    # Versions are numbers such as 13050 for CUDA 13.5. A driver runs all programs of its major version.
    known, wanted = runtime.driverGetVersion() // 1000, runtime.runtimeGetVersion() // 1000
    if known < wanted:
        raise DeviceError(
            f"the driver supports CUDA {known}, but the installed packages are for CUDA {wanted}: update the driver, "
            'or install "vsenumba[cuda12]", which works with driver 525 or newer'
        )
