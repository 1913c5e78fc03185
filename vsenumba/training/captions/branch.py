"""A branch: one side's rows projected, pooled and brought to length 1; and the gradients of it all."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from vsenumba.poolings import Pooling
from vsenumba.training.captions.projections import Projection

Tables = dict[str, np.ndarray]

# Shorter vectors are not made longer, so that a vector of zeros stays one.
_SHORTEST = np.float32(1e-8)

# Even, as a hidden layer is half as wide as the space.
_SMALL_WIDTHS = (2, 4, 6)


@dataclass(frozen=True, kw_only=True)
class Branch:
    """What becomes of one side.

    Parameters
    ----------
    projection, pooling
        How rows are projected, and made one vector.
    """

    projection: Projection
    pooling: Pooling

    def fresh_parameters(self, width: int, n_factors: int, rng: np.random.Generator) -> Tables:
        """Return the parameters of both, by prefixed names."""
        projection = self.projection.fresh_parameters(width, n_factors, rng)
        pooling = self.pooling.fresh_parameters(n_factors, rng)
        return _prefixed("projection", projection) | _prefixed("pooling", pooling)

    def forward(
        self, rows: np.ndarray, offsets: np.ndarray, parameters: Mapping[str, np.ndarray]
    ) -> tuple[np.ndarray, Any]:
        """Return the vectors, (n, n_factors), of length 1, and what `backward` needs."""
        projected, projection_memory = self.projection.forward(rows, _part("projection", parameters))
        pooled, pooling_memory = self.pooling.forward(projected, offsets, _part("pooling", parameters))
        lengths = np.maximum(np.sqrt((pooled * pooled).sum(axis=1, keepdims=True)), _SHORTEST)
        vectors = pooled / lengths
        return vectors, (projection_memory, pooling_memory, vectors, lengths)

    def backward(self, gradient: np.ndarray, memory: Any, *, in_rows: bool = False) -> tuple[np.ndarray | None, Tables]:
        """Return the gradients in the rows, if asked for, and in the parameters, from that in the vectors."""
        projection_memory, pooling_memory, vectors, lengths = memory
        in_pooled = (gradient - (gradient * vectors).sum(axis=1, keepdims=True) * vectors) / lengths
        in_projected, of_pooling = self.pooling.backward(in_pooled, pooling_memory)
        in_given, of_projection = self.projection.backward(in_projected, projection_memory, in_rows=in_rows)
        return in_given, _prefixed("projection", of_projection) | _prefixed("pooling", of_pooling)


@functools.lru_cache(maxsize=32)
def parameter_shapes(branch: Branch, width: int, n_factors: int) -> Mapping[str, tuple[int, ...]]:
    """Return the shapes of a branch's parameters, for rows of so many columns."""
    parameters = branch.fresh_parameters(width, n_factors, np.random.default_rng(0))
    return {name: table.shape for name, table in parameters.items()}


def parameter_size(branch: Branch, width: int, n_factors: int) -> int:
    """Return how many numbers a branch's parameters are, without making them.

    The number is a polynomial of the two widths, of degree two or less in each, as of any layers: it follows from that
    for small ones.
    """

    def size(width: int, n_factors: int) -> int:
        return sum(math.prod(shape) for shape in parameter_shapes(branch, width, n_factors).values())

    def at_width(n_factors: int) -> int:
        return _extrapolated([size(w, n_factors) for w in _SMALL_WIDTHS], width)

    return _extrapolated([at_width(n) for n in _SMALL_WIDTHS], n_factors)


def _extrapolated(values: Sequence[int], at: int) -> int:
    """Return the value at a number of the polynomial of degree two that has the given ones at the small widths."""
    total = Fraction(0)
    for i, value in enumerate(values):
        others = [one for j, one in enumerate(_SMALL_WIDTHS) if j != i]
        total += value * math.prod(Fraction(at - one, _SMALL_WIDTHS[i] - one) for one in others)
    return int(total)


def _prefixed(prefix: str, tables: Mapping[str, np.ndarray]) -> Tables:
    return {f"{prefix}.{name}": table for name, table in tables.items()}


def _part(prefix: str, tables: Mapping[str, np.ndarray]) -> Tables:
    return {name.removeprefix(f"{prefix}."): one for name, one in tables.items() if name.startswith(f"{prefix}.")}
