"""Projections: the rows of one side into the space that both sides share."""

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
    """Base of the projections."""

    @abstractmethod
    def fresh_parameters(self, width: int, n_factors: int, rng: np.random.Generator) -> Tables:
        """Return what training begins from, for rows of so many columns."""

    def parameter_shapes(self, width: int, n_factors: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of what `fresh_parameters` returns; without making it, where that could be large."""
        fresh = self.fresh_parameters(width, n_factors, np.random.default_rng(0))
        return {name: table.shape for name, table in fresh.items()}

    @abstractmethod
    def forward(self, rows: np.ndarray, parameters: Mapping[str, np.ndarray]) -> tuple[np.ndarray, Any]:
        """Return the projected rows, (N, n_factors), and what `backward` needs."""

    @abstractmethod
    def backward(self, gradient: np.ndarray, memory: Any, *, in_rows: bool) -> tuple[np.ndarray | None, Tables]:
        """Return the gradients in the rows, if asked for, and in the parameters."""


@dataclass(frozen=True, kw_only=True)
class LinearProjection(Projection):
    """``x W + b``."""

    name: ClassVar[str] = "linear"

    def fresh_parameters(self, width: int, n_factors: int, rng: np.random.Generator) -> Tables:
        """Return W as Xavier's uniform draws and b of 0; see `Projection.fresh_parameters`."""
        return {"weights": xavier(width, n_factors, rng), "bias": np.zeros(n_factors, np.float32)}

    def parameter_shapes(self, width: int, n_factors: int) -> dict[str, tuple[int, ...]]:
        """Return those of W and b; see `Projection.parameter_shapes`."""
        return {"weights": (width, n_factors), "bias": (n_factors,)}

    def forward(self, rows: np.ndarray, parameters: Mapping[str, np.ndarray]) -> tuple[np.ndarray, Any]:
        """Project; see `Projection.forward`."""
        result = product(rows, parameters["weights"])
        result += parameters["bias"]
        return result, (rows, parameters)

    def backward(self, gradient: np.ndarray, memory: Any, *, in_rows: bool) -> tuple[np.ndarray | None, Tables]:
        """Return gradients; see `Projection.backward`."""
        rows, parameters = memory
        in_parameters = {"weights": product_of_transposed(rows, gradient), "bias": gradient.sum(axis=0)}
        return _back(gradient, parameters["weights"]) if in_rows else None, in_parameters


@dataclass(frozen=True, kw_only=True)
class ResidualProjection(Projection):
    """``x W + b + relu(x U + c) V``: a linear projection and a network of one hidden layer, added.

    The hidden layer is half as wide as the space, as in VSE∞, whose batch normalisation is left out.
    """

    name: ClassVar[str] = "residual"

    def fresh_parameters(self, width: int, n_factors: int, rng: np.random.Generator) -> Tables:
        """Return Xavier's uniform draws and biases of 0; see `Projection.fresh_parameters`."""
        hidden = max(n_factors // 2, 1)
        return {
            "weights": xavier(width, n_factors, rng),
            "bias": np.zeros(n_factors, np.float32),
            "hidden_weights": xavier(width, hidden, rng),
            "hidden_bias": np.zeros(hidden, np.float32),
            "output_weights": xavier(hidden, n_factors, rng),
        }

    def parameter_shapes(self, width: int, n_factors: int) -> dict[str, tuple[int, ...]]:
        """Return those of W, b, U, c and V; see `Projection.parameter_shapes`."""
        hidden = max(n_factors // 2, 1)
        return {
            "weights": (width, n_factors),
            "bias": (n_factors,),
            "hidden_weights": (width, hidden),
            "hidden_bias": (hidden,),
            "output_weights": (hidden, n_factors),
        }

    def forward(self, rows: np.ndarray, parameters: Mapping[str, np.ndarray]) -> tuple[np.ndarray, Any]:
        """Project; see `Projection.forward`."""
        hidden = product(rows, parameters["hidden_weights"])
        hidden += parameters["hidden_bias"]
        np.maximum(hidden, 0, out=hidden)
        result = product(rows, parameters["weights"])
        result += product(hidden, parameters["output_weights"])
        result += parameters["bias"]
        return result, (rows, hidden, parameters)

    def backward(self, gradient: np.ndarray, memory: Any, *, in_rows: bool) -> tuple[np.ndarray | None, Tables]:
        """Return gradients; see `Projection.backward`."""
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
    """Return uniform draws of variance 2 / (inputs + outputs), (n_inputs, n_outputs) float32 (Glorot & Bengio 2010)."""
    bound = np.sqrt(6 / (n_inputs + n_outputs))
    return rng.uniform(-bound, bound, (n_inputs, n_outputs)).astype(np.float32)


as_projection = Family(
    "projection",
    Projection,  # type: ignore[type-abstract]  # the base only names the family
    (LinearProjection, ResidualProjection),
)
PROJECTIONS = as_projection.members
