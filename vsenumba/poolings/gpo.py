"""Generalised pooling: a learnt weight for every rank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from vsenumba.checks import is_number, is_whole
from vsenumba.errors import InputError
from vsenumba.poolings.pooling import Pooling, Tables
from vsenumba.poolings.ranked import ranked_sums, ranked_sums_backward

# Far wider than the input of the layer can make use of.
_MOST_HIDDEN = 10_000

# Length of the code of a rank.
_CODE = 32


@dataclass(frozen=True, kw_only=True)
class GeneralisedPooling(Pooling):
    """Pool by a weighted sum of sorted values, ``Σ_r θ_r x_(r)``, with learnt weights θ.

    x_(r) is the r-th largest value of a column. θ is the softmax, over the ranks of the segment, of the outputs of a
    small network. The network receives the sine and cosine code of the rank (Vaswani et al. 2017) and has one hidden
    layer. The paper uses a recurrent layer instead, which also knows the number of rows. Initially, the pooling is mean
    pooling.

    Parameters
    ----------
    temperature : float, default 0.1
        Divisor of the network's output before the softmax, above 0.
    hidden : int, default 32
        Width of the hidden layer, from 1 to 10,000.

    References
    ----------
    Chen et al., "Learning the Best Pooling Strategy for Visual Semantic Embedding", CVPR 2021.

    Vaswani et al., "Attention Is All You Need", NIPS 2017, for the code of a rank.

    Examples
    --------
    >>> import numpy as np
    >>> pooling = GeneralisedPooling()
    >>> tables = pooling.fresh_parameters(2, np.random.default_rng(0))
    >>> pooling.pool(np.array([[1, 4], [3, 0]], np.float32), np.array([0, 2]), tables)
    array([[2., 2.]], dtype=float32)
    """

    temperature: float = 0.1
    hidden: int = 32
    name: ClassVar[str] = "gpo"

    def __post_init__(self) -> None:
        if not is_number(self.temperature) or not 0 < self.temperature < np.inf:
            raise InputError(f"temperature must be positive and finite, not {self.temperature!r}")
        if not is_whole(self.hidden):
            raise InputError(f"hidden must be a whole number of at least 1, not {self.hidden!r}")
        if self.hidden > _MOST_HIDDEN:
            raise InputError(f"hidden must be at most {_MOST_HIDDEN:,}, not {self.hidden!r}")

    def fresh_parameters(self, width: int, rng: np.random.Generator) -> Tables:
        """Return a network whose last layer is 0, which gives mean pooling; see `Pooling.fresh_parameters`."""
        bound = np.sqrt(6 / (_CODE + self.hidden))
        return {
            "code_weights": rng.uniform(-bound, bound, (_CODE, self.hidden)).astype(np.float32),
            "code_bias": np.zeros(self.hidden, np.float32),
            "rank_weights": np.zeros(self.hidden, np.float32),
        }

    def parameter_shapes(self, width: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the network's layers; see `Pooling.parameter_shapes`."""
        return {"code_weights": (_CODE, self.hidden), "code_bias": (self.hidden,), "rank_weights": (self.hidden,)}

    def rank_weights(self, longest: int, parameters: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return θ for every segment length from 0, (longest + 1, longest) float64; row 0 is 0, other rows sum to 1."""
        _, logits = self._logits(longest, parameters)
        weights = np.zeros((longest + 1, longest))
        for n in range(1, longest + 1):
            powers = np.exp(logits[:n] - logits[:n].max())
            weights[n, :n] = powers / powers.sum()
        return weights

    def _logits(self, longest: int, parameters: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        hidden = np.maximum(_codes(longest) @ parameters["code_weights"] + parameters["code_bias"], 0)
        return hidden, hidden @ parameters["rank_weights"] / self.temperature

    def forward(self, values: np.ndarray, offsets: np.ndarray, parameters: Mapping[str, np.ndarray]) -> tuple[Any, Any]:
        """Pool; see `Pooling.forward`."""
        weights = self.rank_weights(int(np.diff(offsets).max()), parameters)
        pooled, ranked = ranked_sums(values, offsets, weights.astype(np.float32))
        return pooled, (ranked, weights, parameters)

    def backward(self, gradient: np.ndarray, memory: Any) -> tuple[np.ndarray, Tables]:
        """Return the gradients, those of the network by the chain rule; see `Pooling.backward`."""
        ranked, weights, parameters = memory
        in_values, in_weights = ranked_sums_backward(gradient, ranked)
        longest = weights.shape[1]
        lengths = np.diff(ranked.offsets)
        ranks = np.arange(len(in_weights)) - np.repeat(ranked.offsets[:-1], lengths)
        by_length = np.zeros_like(weights)
        np.add.at(by_length, (np.repeat(lengths, lengths), ranks), in_weights)
        # Backpropagate through the softmax of each length; all lengths share the network's logits.
        in_logits = (weights * (by_length - (weights * by_length).sum(axis=1, keepdims=True))).sum(axis=0)
        hidden, _ = self._logits(longest, parameters)
        in_outputs = in_logits / self.temperature
        in_hidden = np.outer(in_outputs, parameters["rank_weights"]) * (hidden > 0)
        return in_values, {
            "code_weights": (_codes(longest).T @ in_hidden).astype(np.float32),
            "code_bias": in_hidden.sum(axis=0).astype(np.float32),
            "rank_weights": (hidden.T @ in_outputs).astype(np.float32),
        }


def _codes(n: int) -> np.ndarray:
    """Return the sine and cosine codes of the ranks 0 to n - 1, (n, 32)."""
    angles = np.arange(n)[:, None] / 10_000 ** (np.arange(0, _CODE, 2) / _CODE)
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
