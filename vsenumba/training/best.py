"""The epoch at which a metric was best, with copies of its tables."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vsenumba.errors import InputError, unknown_name
from vsenumba.training.history import validation_names


class Best:
    """Keep the tables of the epoch at which a metric was highest.

    Parameters
    ----------
    metric : str
        A validation metric such as ``"mrr"``; higher is better.

    Attributes
    ----------
    min_delta : float
        The least increase that counts as a new best value.
    epoch : int
        The best epoch, from 1; 0 before the metric was recorded.
    value : float
        The best value.
    tables : dict
        Copies of the tables at the best epoch, by name.
    """

    def __init__(self, metric: str) -> None:
        self.metric = metric
        self.min_delta = 0.0
        self.epoch, self.value = 0, -np.inf
        self.tables: dict[str, np.ndarray] = {}

    def note(self, record: Mapping[str, float], tables: Mapping[str, np.ndarray]) -> bool:
        """Copy the tables if this epoch is the best so far, and return whether it is."""
        if self.metric not in record:
            error = unknown_name("metric", self.metric, validation_names(record))
            raise InputError(f"early stopping: {error}; pass fit a validation set, and this metric in `metrics`")
        if not record[self.metric] > self.value + self.min_delta:
            return False
        self.epoch, self.value = int(record["epoch"]), float(record[self.metric])
        self.tables = {name: table.copy() for name, table in tables.items()}
        return True

    def put_back(self, tables: Mapping[str, np.ndarray]) -> None:
        """Write the tables of the best epoch over the given tables, if there was a best epoch."""
        for name, table in self.tables.items():
            tables[name][:] = table
