"""What was measured, in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from vsenumba.cli.output import counted


def held_out_pairs(measured: Mapping[str, Any]) -> str:
    """Return what was held out, of the entries that `vsenumba.experiments.measurement` makes."""
    n_pairs, n_images = int(measured["n_pairs"]), int(measured["n_images"])
    return f"on {counted(n_pairs, 'pair')} of {counted(n_images, 'image')}, held out of {measured['of_pairs']:,}"


def values_of(measured: Mapping[str, Any]) -> str:
    """Return the metrics with their values, on one line."""
    return ", ".join(f"{name} {value_text(value, 3)}" for name, value in measured["metrics"].items())


def value_text(value: float | None, n_digits: int) -> str:
    """Return a metric's value, which is None or NaN where it is not defined, as for no image or no pair."""
    return "not defined" if value is None or math.isnan(value) else f"{value:.{n_digits}f}"
