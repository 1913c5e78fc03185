"""The NVIDIA GPUs of this machine, and whether vsenumba can train on them."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

_QUERY = ("--query-gpu=name,driver_version,memory.total", "--format=csv,noheader")
_SECONDS = 5


def gpu() -> dict[str, Any]:
    """Return the GPUs, whether ``device="cuda"`` works, and the reason if it does not."""
    why_not, simulated = _why_not()
    return {"cards": cards(), "usable": why_not is None, "simulated": simulated, "why_not": why_not}


def cards() -> list[str]:
    """Return the name, driver version and memory of each GPU, as nvidia-smi prints them."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        done = subprocess.run(  # noqa: S603  # a program of the driver, with fixed arguments
            [program, *_QUERY], capture_output=True, text=True, timeout=_SECONDS, check=True, errors="replace"
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def _why_not() -> tuple[str | None, bool]:
    """Return the reason why kernels cannot run on a GPU (None if they can), and whether the GPU is simulated."""
    try:
        from vsenumba.gpu.backend import SIMULATED, require_card

        require_card()
    except Exception as error:  # noqa: BLE001  # a broken driver or toolkit may raise anything
        return str(error) or type(error).__name__, False
    return None, SIMULATED
