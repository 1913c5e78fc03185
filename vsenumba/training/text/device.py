"""The interface of a device for word vectors, which is like that of `vsenumba.training.annotation.device`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol

import numpy as np

from vsenumba.training.text.task import TextTask


class TextDevice(Protocol):
    """A device, made for one task.

    Parameters
    ----------
    task : TextTask
        The settings of the training.
    n_threads : int, optional
        The number of threads on the host; None for all.
    """

    name: ClassVar[str]
    #: The number of words in a launch.
    tokens_per_launch: ClassVar[int]

    def __init__(self, task: TextTask, n_threads: int | None = None) -> None: ...

    def put(self, tables: Mapping[str, np.ndarray], sums: Mapping[str, np.ndarray]) -> None:
        """Store the tables, (W, k) float32, and the optimiser's sums of each, to be changed by the device."""

    def seed(self, seeds: np.random.SeedSequence) -> None:
        """Start an epoch with the given random seed."""

    def refresh(self) -> None:
        """Update the sampler's state from the output factors."""

    def launch(self, tokens: np.ndarray, offsets: np.ndarray, rate: float) -> None:
        """Train on sentences; sentence i is ``tokens[offsets[i] - offsets[0]:offsets[i + 1] - offsets[0]]``."""

    def tally(self) -> np.ndarray:
        """Return the counts since the last call, (TALLY_COLUMNS,) float64; see `vsenumba.training.text.tally`."""

    def fetch(self) -> None:
        """Copy the current tables and sums into the arrays that were passed to `put`."""
