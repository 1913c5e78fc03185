"""The base of all poolings: one vector from the rows of each segment, which are an image's regions or a text's tokens.

To add a pooling, write one file with a frozen dataclass of its parameters, and name it in ``poolings/__init__.py``.
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

    Segment i is ``values[offsets[i]:offsets[i + 1]]``. No segment is empty. All tables are float32.
    """

    def fresh_parameters(self, width: int, rng: np.random.Generator) -> Tables:
        """Return the initial values of the learnt tables, for rows with `width` columns; empty if nothing is learnt."""
        return {}

    def parameter_shapes(self, width: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the tables of `fresh_parameters`; poolings with large tables override this."""
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
        parameters : mapping of str to array
            The learnt tables, as from `fresh_parameters`.

        Returns
        -------
        pooled : (n_segments, d) float32 array
            One vector for each segment.
        memory : object
            What `backward` needs.
        """

    @abstractmethod
    def backward(self, gradient: np.ndarray, memory: Any) -> tuple[np.ndarray, Tables]:
        """Return the gradients with respect to the rows and to the tables.

        Parameters
        ----------
        gradient : (n_segments, d) float32 array
            Gradient with respect to the pooled vectors.
        memory : object
            The second result of `forward`.

        Returns
        -------
        in_rows : (N, d) float32 array
            Gradient with respect to the rows.
        in_parameters : dict of str to array
            Gradient with respect to each learnt table.
        """

    def pool(self, values: np.ndarray, offsets: np.ndarray, parameters: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the pooled vectors alone, after checking the values and offsets.

        Parameters
        ----------
        values, offsets, parameters
            As in `forward`.

        Returns
        -------
        (n_segments, d) float32 array
            One vector for each segment.

        Raises
        ------
        InputError
            If the offsets do not divide the rows into segments of one row or more.
        """
        # Copy read-only arrays, because a pooling from outside the package may need writable ones.
        values = readable("values", np.require(values, requirements="W"), (None, None))
        offsets = segments("offsets", np.require(offsets, requirements="W"), len(values), least=1)
        pooled: np.ndarray = self.forward(values, offsets, parameters)[0]
        return pooled
