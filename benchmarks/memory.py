"""Measure the current and the peak memory of this process."""

from __future__ import annotations

import math
from pathlib import Path


def resident_bytes() -> float:
    """Return the current memory of this process in bytes; NaN without /proc."""
    return _status("VmRSS")


def peak_bytes() -> float:
    """Return the peak memory of this process in bytes, since `forget_peak` if the system supports that."""
    peak = _status("VmHWM")
    if math.isnan(peak):
        import resource

        # Only without /proc, because on Linux this includes the peak of the parent process.
        return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)  # bytes on macOS
    return peak


def forget_peak() -> None:
    """Reset the peak to the current memory, if the system supports that."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def _status(field: str) -> float:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return float("nan")
    return next(1024.0 * int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))
