"""What a device offers to word vectors; see `vsenumba.training.annotation.device`, whose seam is the same."""

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
        What is trained.
    n_threads : int, optional
        Threads of the host that it may use; None for all.
    """

    name: ClassVar[str]
    #: Words of a launch.
    tokens_per_launch: ClassVar[int]

    def __init__(self, task: TextTask, n_threads: int | None = None) -> None: ...

    def put(self, tables: Mapping[str, np.ndarray], sums: Mapping[str, np.ndarray]) -> None:
        """Take the tables, (W, k) float32, and the optimiser's sums of each, from now on the device's to change."""

    def seed(self, seeds: np.random.SeedSequence) -> None:
        """Begin an epoch, whose draws are seeded so."""

    def refresh(self) -> None:
        """Bring the sampler up to date with the output factors."""

    def launch(self, tokens: np.ndarray, offsets: np.ndarray, rate: float) -> None:
        """Train on sentences, sentence i being ``tokens[offsets[i] - offsets[0]:offsets[i + 1] - offsets[0]]``."""

    def tally(self) -> np.ndarray:
        """Return what was counted since the last call, (TALLY_COLUMNS,) float64; see the tally."""

    def fetch(self) -> None:
        """Bring the tables and the sums that `put` was given to where the training is."""
