"""What a device offers: a place that holds the tables and trains launches on them.

To add a device, write one file with a class that has these methods, and name it in ``models/devices.py``.
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
        What is trained.
    n_threads : int, optional
        Threads of the host that it may use; None for all.
    """

    name: ClassVar[str]
    #: Draws between two refreshes of a sampler, at least.
    least_interval: ClassVar[int]

    def __init__(self, task: Task, n_threads: int | None = None) -> None: ...

    def put(self, tables: Mapping[str, np.ndarray], sums: Mapping[str, np.ndarray]) -> None:
        """Take the tables, (rows, k) float32, and the optimiser's sums of each, from now on the device's to change."""

    def seed(self, seeds: np.random.SeedSequence) -> None:
        """Begin an epoch, whose draws are seeded so."""

    def refresh(self) -> None:
        """Bring the sampler up to date with the label factors."""

    def launch(self, launch: Launch, rate: float) -> None:
        """Train on the images of a launch at a learning rate."""

    def tally(self) -> np.ndarray:
        """Return what was counted since the last call, (TALLY_COLUMNS,) float64; see the layout."""

    def fetch(self) -> None:
        """Bring the tables and the sums that `put` was given to where the training is."""
