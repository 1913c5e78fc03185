"""The best epoch by a metric: when it was, how good, and its tables."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vsenumba.errors import InputError, unknown_name


class Best:
    """Keeps the tables of the epoch at which a metric was highest.

    Parameters
    ----------
    metric : str
        A metric of the records, as ``"mrr"``; higher is better.

    Attributes
    ----------
    min_delta : float
        By how much the metric must rise to count as a new best.
    epoch, value : int, float
        When the metric was highest, 0 before it was recorded, and how high.
    tables : dict
        Copies of the tables at that epoch, by name.
    """

    def __init__(self, metric: str) -> None:
        self.metric = metric
        self.min_delta = 0.0
        self.epoch, self.value = 0, -np.inf
        self.tables: dict[str, np.ndarray] = {}

    def note(self, record: Mapping[str, float], tables: Mapping[str, np.ndarray]) -> bool:
        """Look at an epoch's record, and copy the tables if it is the best so far; return whether it is."""
        if self.metric not in record:
            # What comes after the learning rate is the validation.
            names = list(record)
            error = unknown_name("metric", self.metric, names[names.index("learning_rate") + 1 :])
            raise InputError(f"early stopping: {error}; give fit a validation set, and a metric that is recorded of it")
        if not record[self.metric] > self.value + self.min_delta:
            return False
        self.epoch, self.value = int(record["epoch"]), float(record[self.metric])
        self.tables = {name: table.copy() for name, table in tables.items()}
        return True

    def put_back(self, tables: Mapping[str, np.ndarray]) -> None:
        """Write the best epoch's tables over others, if there was one."""
        for name, table in self.tables.items():
            tables[name][:] = table
