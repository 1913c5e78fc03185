"""A branch: the rows of one side are projected, pooled and scaled to length 1. It also computes the gradients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from vsenumba.poolings import Pooling
from vsenumba.training.captions.projections import Projection

Tables = dict[str, np.ndarray]
T = TypeVar("T")

# Shorter vectors are not scaled to length 1, so that a vector of zeros stays one.
_SHORTEST = np.float32(1e-8)


@dataclass(frozen=True, kw_only=True)
class Branch:
    """The layers of one side.

    Parameters
    ----------
    projection : Projection
        The projection of each row.
    pooling : Pooling
        The pooling of all rows to one vector.
    """

    projection: Projection
    pooling: Pooling

    def fresh_parameters(self, width: int, n_factors: int, rng: np.random.Generator) -> Tables:
        """Return new parameters of both layers, with prefixed names."""
        projection = self.projection.fresh_parameters(width, n_factors, rng)
        pooling = self.pooling.fresh_parameters(n_factors, rng)
        return _prefixed("projection", projection) | _prefixed("pooling", pooling)

    def parameter_shapes(self, width: int, n_factors: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the parameters from `fresh_parameters`."""
        projection = self.projection.parameter_shapes(width, n_factors)
        pooling = self.pooling.parameter_shapes(n_factors)
        return _prefixed("projection", projection) | _prefixed("pooling", pooling)

    def forward(
        self, rows: np.ndarray, offsets: np.ndarray, parameters: Mapping[str, np.ndarray]
    ) -> tuple[np.ndarray, Any]:
        """Return the vectors, (n, n_factors), of length 1, and the intermediate results for `backward`."""
        projected, projection_memory = self.projection.forward(rows, _part("projection", parameters))
        pooled, pooling_memory = self.pooling.forward(projected, offsets, _part("pooling", parameters))
        lengths = np.maximum(np.sqrt((pooled * pooled).sum(axis=1, keepdims=True)), _SHORTEST)
        vectors = pooled / lengths
        return vectors, (projection_memory, pooling_memory, vectors, lengths)

    def backward(self, gradient: np.ndarray, memory: Any, *, in_rows: bool = False) -> tuple[np.ndarray | None, Tables]:
        """Return the gradients of the rows, if requested, and of the parameters, from the gradient of the vectors."""
        projection_memory, pooling_memory, vectors, lengths = memory
        in_pooled = (gradient - (gradient * vectors).sum(axis=1, keepdims=True) * vectors) / lengths
        in_projected, of_pooling = self.pooling.backward(in_pooled, pooling_memory)
        in_given, of_projection = self.projection.backward(in_projected, projection_memory, in_rows=in_rows)
        return in_given, _prefixed("projection", of_projection) | _prefixed("pooling", of_pooling)


def _prefixed(prefix: str, tables: Mapping[str, T]) -> dict[str, T]:
    return {f"{prefix}.{name}": table for name, table in tables.items()}


def _part(prefix: str, tables: Mapping[str, np.ndarray]) -> Tables:
    return {name.removeprefix(f"{prefix}."): one for name, one in tables.items() if name.startswith(f"{prefix}.")}
