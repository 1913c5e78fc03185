"""The interface of a device, which holds the tables and trains launches on them.

To add a device, write a file with a class that has these methods, and name the class in ``models/devices.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol

import numpy as np

from vsenumba.training.annotation.plan import Launch
from vsenumba.training.annotation.task import Task


class Device(Protocol):
    """A device, made for one task.

    Parameters
    ----------
    task : Task
        The settings of the training.
    n_threads : int, optional
        The number of threads on the host; None for all.
    """

    name: ClassVar[str]
    #: The least number of draws between two refreshes of a sampler.
    least_interval: ClassVar[int]

    def __init__(self, task: Task, n_threads: int | None = None) -> None: ...

    def put(self, tables: Mapping[str, np.ndarray], sums: Mapping[str, np.ndarray]) -> None:
        """Store the tables, (rows, k) float32, and the optimiser's sums of each, to be changed by the device."""

    def seed(self, seeds: np.random.SeedSequence) -> None:
        """Start an epoch with the given random seed."""

    def refresh(self) -> None:
        """Update the sampler's state from the label factors."""

    def launch(self, launch: Launch, rate: float) -> None:
        """Train on the images of a launch at a learning rate."""

    def tally(self) -> np.ndarray:
        """Return the counts since the last call, (TALLY_COLUMNS,) float64; see ``layout.py``."""

    def fetch(self) -> None:
        """Copy the current tables and sums into the arrays that were passed to `put`."""
