"""How much memory this process has, and has had at most."""

from __future__ import annotations

import math
from pathlib import Path


def resident_bytes() -> float:
    """Return the memory this process has now; NaN where there is no /proc."""
    return _status("VmRSS")


def peak_bytes() -> float:
    """Return the most memory this process had at once, since `forget_peak` if that could be done."""
    peak = _status("VmHWM")
    if math.isnan(peak):
        import resource

        # Not where there is /proc: on Linux it begins with the peak of the process that started this one.
        return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)  # bytes on macOS
    return peak


def forget_peak() -> None:
    """Let the peak start again from what is resident now, where that can be done."""
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
