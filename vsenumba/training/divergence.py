"""Detect training that has diverged."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vsenumba.errors import TrainingDivergedError


def check_finite(tables: Mapping[str, np.ndarray], epoch: int, learning_rate: float) -> None:
    """Check that all tables are finite after an epoch.

    Raises
    ------
    TrainingDivergedError
        If a table contains NaN or an infinity; the message names the table.
    """
    for name, table in tables.items():
        # A sum is finite only if all its terms are, and needs no array of booleans.
        with np.errstate(invalid="ignore"):
            total = table.sum(dtype=np.float64)
        if not np.isfinite(total):
            raise TrainingDivergedError(epoch, learning_rate, name)
