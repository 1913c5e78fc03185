"""Describe the machine of a measurement."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from vsenumba.storage.provenance import provenance


def machine() -> dict[str, Any]:
    """Return the CPU, the number of cores, and the relevant versions."""
    return {"processor": _processor(), "cores": os.cpu_count(), **provenance()}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
