"""Refresh a sampler on the GPU. The adaptive sampler sorts the labels by each factor with the GPU's own sort."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np

from vsenumba.gpu.memory import to_card, to_host, xp
from vsenumba.samplers import AdaptiveSampler, Sampler
from vsenumba.samplers.adaptive import AdaptiveState


@singledispatch
def refresh_on_card(sampler: Sampler, state: Any, labels: Any) -> None:
    """Update a sampler's state on the GPU from the label factors there, (L, k); see `Sampler.refresh`."""


# Bytes for each number of the table during a sort, for a copy of the keys and 64-bit positions. Other steps need less.
_SORT_BYTES = 24


def refresh_bytes(state: Any) -> int:
    """Return the bytes that `refresh_on_card` uses temporarily, besides the state."""
    return _SORT_BYTES * state.orders.size if isinstance(state, AdaptiveState) else 0


@refresh_on_card.register
def _refresh_orders(sampler: AdaptiveSampler, state: Any, labels: Any) -> None:
    n_factors, n_labels = state.orders.shape
    # The sort is stable, as on the CPU, so labels with equal keys stay in the order of their columns.
    state.orders[...] = xp.argsort(xp.ascontiguousarray(labels.T), axis=1, kind="stable")
    state.weights[...] = to_card(sampler.relative_spreads(to_host(labels.astype(np.float64).std(axis=0))))
    if len(state.places):
        ranks = xp.broadcast_to(xp.arange(n_labels, dtype=np.int32), (n_factors, n_labels))
        state.places[state.orders.ravel(), xp.repeat(xp.arange(n_factors), n_labels)] = ranks.ravel()
