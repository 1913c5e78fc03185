"""Tables that are no longer finite."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vsenumba.errors import TrainingDivergedError


def check_finite(tables: Mapping[str, np.ndarray], epoch: int, learning_rate: float) -> None:
    """Refuse tables that hold NaN or an infinity after an epoch.

    Raises
    ------
    TrainingDivergedError
        If one does; it names the table.
    """
    for name, table in tables.items():
        # One pass without a table of answers: a sum is finite only if everything in it is.
        with np.errstate(invalid="ignore"):
            total = table.sum(dtype=np.float64)
        if not np.isfinite(total):
            raise TrainingDivergedError(epoch, learning_rate, name)
