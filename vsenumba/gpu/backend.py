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
from typing import Any, TypeVar

import numba

from vsenumba.errors import DeviceError, InputError

F = TypeVar("F", bound=Callable[..., Any])

# Whether kernels run as Python, one thread of the processor for each of the card's: NUMBA_ENABLE_CUDASIM=1.
SIMULATED = bool(numba.config.ENABLE_CUDASIM)

# In the order of preference.
_HOMES = {"numba": "numba.cuda", "mlir": "numba_cuda_mlir.cuda"}


def _cuda() -> ModuleType:
    chosen = os.environ.get("VSENUMBA_CUDA")
    if chosen is not None and chosen not in _HOMES:
        raise InputError(f"the environment variable VSENUMBA_CUDA must be one of {', '.join(_HOMES)}, not {chosen!r}")
    for name in _HOMES.values() if chosen is None else [_HOMES[chosen]]:
        if importlib.util.find_spec(name.partition(".")[0]) is not None:
            try:
                return importlib.import_module(name)
            except ModuleNotFoundError:  # a Numba without the target
                continue
    raise DeviceError(f"no package to compile for a card was found; {INSTALL}")


INSTALL = (
    'pip install "vsenumba[cuda13]" (driver 580 or newer) or "vsenumba[cuda12]" (driver 525 or newer) installs what is '
    "needed beside the driver"
)

cuda: Any = _cuda()


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
    if not cuda.is_available():
        raise DeviceError(
            'device="cuda" needs an NVIDIA card and its driver, and none was found (the command nvidia-smi shows what '
            f'there is); {INSTALL}. device="cpu" needs neither'
        )
    for module in ("numba_cuda", "cupy"):
        if importlib.util.find_spec(module) is None:
            raise DeviceError(f'device="cuda" needs the package {module.replace("_", "-")}; {INSTALL}')
