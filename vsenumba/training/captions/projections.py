"""Projections of the rows of one side into the space that both sides share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from vsenumba.kernels.products import product, product_of_transposed
from vsenumba.registry import Family, Member

Tables = dict[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Projection(Member, ABC):
    """Base class of projections."""

    @abstractmethod
    def fresh_parameters(self, width: int, n_factors: int, rng: np.random.Generator) -> Tables:
        """Return the initial parameters for rows with `width` columns."""

    def parameter_shapes(self, width: int, n_factors: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the parameters; subclasses avoid creating parameters that may be large."""
        fresh = self.fresh_parameters(width, n_factors, np.random.default_rng(0))
        return {name: table.shape for name, table in fresh.items()}

    @abstractmethod
    def forward(self, rows: np.ndarray, parameters: Mapping[str, np.ndarray]) -> tuple[np.ndarray, Any]:
        """Return the projected rows, (N, n_factors), and the intermediate results for `backward`."""

    @abstractmethod
    def backward(self, gradient: np.ndarray, memory: Any, *, in_rows: bool) -> tuple[np.ndarray | None, Tables]:
        """Return the gradients of the rows, if requested, and of the parameters."""


@dataclass(frozen=True, kw_only=True)
class LinearProjection(Projection):
    """The linear projection ``x W + b``."""

    name: ClassVar[str] = "linear"

    def fresh_parameters(self, width: int, n_factors: int, rng: np.random.Generator) -> Tables:
        """Return W from Xavier's uniform distribution and b of zeros; see `Projection.fresh_parameters`."""
        return {"weights": xavier(width, n_factors, rng), "bias": np.zeros(n_factors, np.float32)}

    def parameter_shapes(self, width: int, n_factors: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of W and b; see `Projection.parameter_shapes`."""
        return {"weights": (width, n_factors), "bias": (n_factors,)}

    def forward(self, rows: np.ndarray, parameters: Mapping[str, np.ndarray]) -> tuple[np.ndarray, Any]:
        """Project the rows; see `Projection.forward`."""
        result = product(rows, parameters["weights"])
        result += parameters["bias"]
        return result, (rows, parameters)

    def backward(self, gradient: np.ndarray, memory: Any, *, in_rows: bool) -> tuple[np.ndarray | None, Tables]:
        """Return the gradients; see `Projection.backward`."""
        rows, parameters = memory
        in_parameters = {"weights": product_of_transposed(rows, gradient), "bias": gradient.sum(axis=0)}
        return _back(gradient, parameters["weights"]) if in_rows else None, in_parameters


@dataclass(frozen=True, kw_only=True)
class ResidualProjection(Projection):
    """The projection ``x W + b + relu(x U + c) V``: a linear projection plus a network with one hidden layer.

    The hidden layer is half as wide as the shared space, as in VSE∞, but without batch normalisation.
    """

    name: ClassVar[str] = "residual"

    def fresh_parameters(self, width: int, n_factors: int, rng: np.random.Generator) -> Tables:
        """Return weights from Xavier's uniform distribution and biases of zeros; see `Projection.fresh_parameters`."""
        hidden = max(n_factors // 2, 1)
        return {
            "weights": xavier(width, n_factors, rng),
            "bias": np.zeros(n_factors, np.float32),
            "hidden_weights": xavier(width, hidden, rng),
            "hidden_bias": np.zeros(hidden, np.float32),
            "output_weights": xavier(hidden, n_factors, rng),
        }

    def parameter_shapes(self, width: int, n_factors: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of W, b, U, c and V; see `Projection.parameter_shapes`."""
        hidden = max(n_factors // 2, 1)
        return {
            "weights": (width, n_factors),
            "bias": (n_factors,),
            "hidden_weights": (width, hidden),
            "hidden_bias": (hidden,),
            "output_weights": (hidden, n_factors),
        }

    def forward(self, rows: np.ndarray, parameters: Mapping[str, np.ndarray]) -> tuple[np.ndarray, Any]:
        """Project the rows; see `Projection.forward`."""
        hidden = product(rows, parameters["hidden_weights"])
        hidden += parameters["hidden_bias"]
        np.maximum(hidden, 0, out=hidden)
        result = product(rows, parameters["weights"])
        result += product(hidden, parameters["output_weights"])
        result += parameters["bias"]
        return result, (rows, hidden, parameters)

    def backward(self, gradient: np.ndarray, memory: Any, *, in_rows: bool) -> tuple[np.ndarray | None, Tables]:
        """Return the gradients; see `Projection.backward`."""
        rows, hidden, parameters = memory
        in_hidden = _back(gradient, parameters["output_weights"])
        in_hidden *= hidden > 0
        in_parameters = {
            "weights": product_of_transposed(rows, gradient),
            "bias": gradient.sum(axis=0),
            "hidden_weights": product_of_transposed(rows, in_hidden),
            "hidden_bias": in_hidden.sum(axis=0),
            "output_weights": product_of_transposed(hidden, gradient),
        }
        if not in_rows:
            return None, in_parameters
        in_given = _back(gradient, parameters["weights"])
        in_given += _back(in_hidden, parameters["hidden_weights"])
        return in_given, in_parameters


def _back(gradient: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return product(gradient, np.ascontiguousarray(weights.T))


def xavier(n_inputs: int, n_outputs: int, rng: np.random.Generator) -> np.ndarray:
    """Draw float32 weights, uniform with variance 2 / (n_inputs + n_outputs) (Glorot & Bengio 2010)."""
    bound = np.sqrt(6 / (n_inputs + n_outputs))
    return rng.uniform(-bound, bound, (n_inputs, n_outputs)).astype(np.float32)


as_projection = Family(
    "projection",
    Projection,  # type: ignore[type-abstract]  # the base only names the family
    (LinearProjection, ResidualProjection),
)
PROJECTIONS = as_projection.members
