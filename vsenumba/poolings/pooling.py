"""What every pooling offers: one vector from the rows of each segment, an image's regions or a text's tokens.

To add a pooling, write one file with a frozen dataclass of what it is set to, and name it in ``poolings/__init__.py``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vsenumba.kernels.gate import readable, segments
from vsenumba.registry import Member

Tables = dict[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Pooling(Member, ABC):
    """Base of the poolings.

    Segment i is ``values[offsets[i]:offsets[i + 1]]``; none is empty. All tables are float32.
    """

    def fresh_parameters(self, width: int, rng: np.random.Generator) -> Tables:
        """Return what training begins from, for rows of so many columns; nothing where nothing is learnt."""
        return {}

    def parameter_shapes(self, width: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of what `fresh_parameters` returns; without making it, where that could be large."""
        fresh = self.fresh_parameters(width, np.random.default_rng(0))
        return {name: table.shape for name, table in fresh.items()}

    @abstractmethod
    def forward(self, values: np.ndarray, offsets: np.ndarray, parameters: Mapping[str, np.ndarray]) -> tuple[Any, Any]:
        """Pool the rows of every segment.

        Parameters
        ----------
        values : (N, d) float32 array
            The rows of all segments.
        offsets : (n_segments + 1,) int64 array
            Where segments begin.
        parameters : mapping
            As `fresh_parameters` made them, or trained.

        Returns
        -------
        pooled : (n_segments, d) float32 array
        memory : object
            What `backward` needs.
        """

    @abstractmethod
    def backward(self, gradient: np.ndarray, memory: Any) -> tuple[np.ndarray, Tables]:
        """Return the gradients in the rows, (N, d), and in the parameters, from that in the pooled vectors."""

    def pool(self, values: np.ndarray, offsets: np.ndarray, parameters: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the pooled vectors alone, of values and offsets that are checked.

        Raises
        ------
        InputError
            If the offsets do not divide the rows into segments of one row or more.
        """
        # Copies of what cannot be written: `forward` may be anyone's.
        values = readable("values", np.require(values, requirements="W"), (None, None))
        offsets = segments("offsets", np.require(offsets, requirements="W"), len(values), least=1)
        pooled: np.ndarray = self.forward(values, offsets, parameters)[0]
        return pooled
