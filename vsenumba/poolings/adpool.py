"""AdPool: a learnt mixture of two softmax-weighted sums."""

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
    """What the gradients need: both levels, and their mixture."""

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
    """Pool adaptively: ``π_e e + π_g g``, where the weights π are the softmax of one linear score of e and of g.

    With x_(r) the row of the r-th largest values of every column, the two levels are

    - the embedding level ``e_d = Σ_r softmax_r(x_(r)d) x_(r)d``, which has no parameters;
    - the token level ``g_d = Σ_r softmax_r(relu(W x_(r) + b)_d) x_(r)d``, with the learnt map W and b.

    Parameters
    ----------
    padding : {"masked", "released"}, default "masked"
        Treatment of segments that are shorter than the longest in the batch. The authors' code pads them with rows of
        zeros, which take part in the softmax of the token level: "released". "masked" leaves these rows out, so that a
        vector does not depend on the rest of its batch.

    References
    ----------
    Zhang et al., "Improving Visual-Semantic Embedding with Adaptive Pooling and Optimization Objective", EACL 2023.

    Examples
    --------
    >>> import numpy as np
    >>> pooling = AdPool()
    >>> tables = pooling.fresh_parameters(2, np.random.default_rng(0))
    >>> pooling.pool(np.array([[1, 4], [1, 4]], np.float32), np.array([0, 2]), tables)
    array([[1., 4.]], dtype=float32)
    """

    padding: str = "masked"
    name: ClassVar[str] = "adpool"

    def __post_init__(self) -> None:
        check_choice("padding", self.padding, PADDINGS)

    def fresh_parameters(self, width: int, rng: np.random.Generator) -> Tables:
        """Return Xavier's uniform draws for W and the linear score, and 0 for b; see `Pooling.fresh_parameters`."""
        bound, score_bound = np.sqrt(3 / width), np.sqrt(6 / (width + 1))
        return {
            "token_weights": rng.uniform(-bound, bound, (width, width)).astype(np.float32),
            "token_bias": np.zeros(width, np.float32),
            "mix_weights": rng.uniform(-score_bound, score_bound, width).astype(np.float32),
        }

    def parameter_shapes(self, width: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of W, b and the linear score; see `Pooling.parameter_shapes`."""
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
        """Return the gradients, those of the tables by the chain rule; see `Pooling.backward`."""
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
            # The weights of a segment's rows sum to less than 1; the rest belongs to the padding.
            left = 1 - np.add.reduceat(memory.token_weights, memory.offsets[:-1])
            in_bias -= (bias > 0) * (left * memory.token_sums * in_token).sum(axis=0)
        return result, {
            "token_weights": product_of_transposed(in_logits, memory.ordered),
            "token_bias": in_bias,
            "mix_weights": (in_gap * gap).sum(axis=0),
        }


@kernel(parallel=True)
def _logit_gradients(values, weights, sums, gradient, logits, offsets, result):
    """Write the gradient with respect to the input of the token level's rectifier."""
    for segment in prange(offsets.shape[0] - 1):
        for row in range(offsets[segment], offsets[segment + 1]):
            for f in range(values.shape[1]):
                grad = weights[row, f] * (values[row, f] - sums[segment, f]) * gradient[segment, f]
                result[row, f] = grad if logits[row, f] > 0 else np.float32(0)


@kernel(parallel=True)
def _spread(values, origins, token_weights, in_token, own_weights, own_sums, in_own, offsets, by_logits, result):
    """Write the gradients with respect to the values, from both levels, to the rows that the values came from."""
    for segment in prange(offsets.shape[0] - 1):
        begin = offsets[segment]
        for row in range(begin, offsets[segment + 1]):
            for f in range(values.shape[1]):
                own = own_weights[row, f] * (1 + values[row, f] - own_sums[segment, f]) * in_own[segment, f]
                token = by_logits[row, f] + token_weights[row, f] * in_token[segment, f]
                result[begin + origins[row, f], f] = token + own
