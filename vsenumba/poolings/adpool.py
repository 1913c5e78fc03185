"""AdPool: two softmax-weighted sums, one by the values and one by a learnt map of them, mixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numba import prange

from vsenumba.checks import check_choice
from vsenumba.kernels.compiler import kernel
from vsenumba.kernels.products import product, product_of_transposed
from vsenumba.kernels.softmax import softmax_sums
from vsenumba.kernels.sorted_rows import sort_segments
from vsenumba.poolings.pooling import Pooling, Tables

PADDINGS = ("masked", "released")


class _Memory(NamedTuple):
    """What the gradients need: the embedding level, the token level, and how they were mixed."""

    offsets: np.ndarray
    ordered: np.ndarray
    origins: np.ndarray
    logits: np.ndarray
    own_weights: np.ndarray
    own_sums: np.ndarray
    token_weights: np.ndarray
    token_sums: np.ndarray
    mix: np.ndarray
    parameters: Mapping[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class AdPool(Pooling):
    """Adaptive pooling: ``π_e e + π_g g``, the mix π the softmax of one linear score of e and of g.

    With x_(r) the row of every column's r-th largest value: ``e_d = Σ_r softmax_r(x_(r)d) x_(r)d``, the embedding
    level, has no parameters; ``g_d = Σ_r softmax_r(relu(W x_(r) + b)_d) x_(r)d`` is the token level.

    Parameters
    ----------
    padding : {"masked", "released"}
        In the authors' code shorter segments are filled up with rows of zeros to the longest of the batch, and these
        take part in the softmax of the token level: "released". "masked" leaves them out, so that a vector does not
        depend on what else is in its batch.

    References
    ----------
    Zhang et al., "Improving Visual-Semantic Embedding with Adaptive Pooling and Optimization Objective", EACL 2023.
    """

    padding: str = "masked"
    name: ClassVar[str] = "adpool"

    def __post_init__(self) -> None:
        check_choice("padding", self.padding, PADDINGS)

    def fresh_parameters(self, width: int, rng: np.random.Generator) -> Tables:
        """Return W and the linear score as Xavier's uniform draws, b of 0; see `Pooling.fresh_parameters`."""
        bound, score_bound = np.sqrt(3 / width), np.sqrt(6 / (width + 1))
        return {
            "token_weights": rng.uniform(-bound, bound, (width, width)).astype(np.float32),
            "token_bias": np.zeros(width, np.float32),
            "mix_weights": rng.uniform(-score_bound, score_bound, width).astype(np.float32),
        }

    def parameter_shapes(self, width: int) -> dict[str, tuple[int, ...]]:
        """Return those of W, b and the linear score; see `Pooling.parameter_shapes`."""
        return {"token_weights": (width, width), "token_bias": (width,), "mix_weights": (width,)}

    def forward(self, values: np.ndarray, offsets: np.ndarray, parameters: Mapping[str, np.ndarray]) -> tuple[Any, Any]:
        """Pool; see `Pooling.forward`."""
        shape, bias = (len(offsets) - 1, values.shape[1]), parameters["token_bias"]
        ordered, origins = sort_segments(values, offsets)
        logits = product(ordered, np.ascontiguousarray(parameters["token_weights"].T))
        logits += bias
        np.maximum(logits, 0, out=logits)
        lengths = np.diff(offsets)
        none = np.zeros(shape[0], np.float32)
        padding = (lengths.max() - lengths).astype(np.float32) if self.padding == "released" else none
        padding_logits = np.maximum(bias, 0)
        totals = np.empty(shape, np.float32)
        own_weights, token_weights = np.empty_like(values), np.empty_like(values)
        own_sums, token_sums = np.empty(shape, np.float32), np.empty(shape, np.float32)
        softmax_sums(ordered, ordered, offsets, none, padding_logits, own_weights, totals, own_sums)
        softmax_sums(ordered, logits, offsets, padding, padding_logits, token_weights, totals, token_sums)
        gap = (token_sums - own_sums) @ parameters["mix_weights"]
        mix = (1 / (1 + np.exp(-np.clip(gap, -80, 80))))[:, None]
        pooled = mix * token_sums + (1 - mix) * own_sums
        return pooled, _Memory(
            offsets, ordered, origins, logits, own_weights, own_sums, token_weights, token_sums, mix, parameters
        )

    def backward(self, gradient: np.ndarray, memory: Any) -> tuple[np.ndarray, Tables]:
        """Return gradients, those of the map by the chain rule; see `Pooling.backward`."""
        token_map, bias, scorer = (memory.parameters[name] for name in ("token_weights", "token_bias", "mix_weights"))
        gap = memory.token_sums - memory.own_sums
        in_gap = memory.mix * (1 - memory.mix) * (gradient * gap).sum(axis=1, keepdims=True)
        in_token = memory.mix * gradient + in_gap * scorer
        in_own = (1 - memory.mix) * gradient - in_gap * scorer
        in_logits = np.empty_like(memory.ordered)
        _logit_gradients(
            memory.ordered, memory.token_weights, memory.token_sums, in_token, memory.logits, memory.offsets, in_logits
        )
        by_rank, result = product(in_logits, token_map), np.empty_like(in_logits)
        _spread(
            memory.ordered, memory.origins, memory.token_weights, in_token, memory.own_weights, memory.own_sums, in_own,
            memory.offsets, by_rank, result,
        )  # fmt: skip
        in_bias = in_logits.sum(axis=0)
        if self.padding == "released":
            # What the rows' own weights leave is the padding's.
            left = 1 - np.add.reduceat(memory.token_weights, memory.offsets[:-1])
            in_bias -= (bias > 0) * (left * memory.token_sums * in_token).sum(axis=0)
        return result, {
            "token_weights": product_of_transposed(in_logits, memory.ordered),
            "token_bias": in_bias,
            "mix_weights": (in_gap * gap).sum(axis=0),
        }


@kernel(parallel=True)
def _logit_gradients(values, weights, sums, gradient, logits, offsets, result):
    """Write the gradient in what the rectifier of the token level gets."""
    for segment in prange(offsets.shape[0] - 1):
        for row in range(offsets[segment], offsets[segment + 1]):
            for f in range(values.shape[1]):
                grad = weights[row, f] * (values[row, f] - sums[segment, f]) * gradient[segment, f]
                result[row, f] = grad if logits[row, f] > 0 else np.float32(0)


@kernel(parallel=True)
def _spread(values, origins, token_weights, in_token, own_weights, own_sums, in_own, offsets, by_logits, result):
    """Write the gradients in the values, of both levels and by all ways, where these came from."""
    for segment in prange(offsets.shape[0] - 1):
        begin = offsets[segment]
        for row in range(begin, offsets[segment + 1]):
            for f in range(values.shape[1]):
                own = own_weights[row, f] * (1 + values[row, f] - own_sums[segment, f]) * in_own[segment, f]
                token = by_logits[row, f] + token_weights[row, f] * in_token[segment, f]
                result[begin + origins[row, f], f] = token + own
