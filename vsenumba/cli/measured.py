"""Measured values as text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from vsenumba.printable import counted


def held_out_pairs(measured: Mapping[str, Any]) -> str:
    """Return a description of the held-out pairs in a dict that `vsenumba.experiments.measurement` makes."""
    n_pairs, n_images = int(measured["n_pairs"]), int(measured["n_images"])
    return (
        f"measured on {counted(n_pairs, 'held-out pair')} of {counted(n_images, 'image')}, "
        f"from {measured['of_pairs']:,} pairs in all"
    )


def values_of(measured: Mapping[str, Any]) -> str:
    """Return the metrics with their values, on one line."""
    return ", ".join(f"{name} {value_text(value, 3)}" for name, value in measured["metrics"].items())


def value_text(value: float | None, n_digits: int) -> str:
    """Return a metric's value as text; None and NaN mean that it is undefined, as for no image or no pair."""
    return "undefined" if value is None or math.isnan(value) else f"{value:.{n_digits}f}"
