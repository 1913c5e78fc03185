"""Bringing a sampler on the card up to date: the orders of the adaptive sampler, by the card's own sort."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np

from vsenumba.gpu.memory import to_card, to_host, xp
from vsenumba.samplers import AdaptiveSampler, Sampler
from vsenumba.samplers.adaptive import AdaptiveState


@singledispatch
def refresh_on_card(sampler: Sampler, state: Any, labels: Any) -> None:
    """Bring a state on the card up to date with the label factors there, (L, k); see `Sampler.refresh`."""


# To sort takes the keys once more and 64-bit places, for each number of the table; a spread takes less.
_SORT_BYTES = 24


def refresh_bytes(state: Any) -> int:
    """Return how much memory `refresh_on_card` takes for a while, beside a state."""
    return _SORT_BYTES * state.orders.size if isinstance(state, AdaptiveState) else 0


@refresh_on_card.register
def _refresh_orders(sampler: AdaptiveSampler, state: Any, labels: Any) -> None:
    n_factors, n_labels = state.orders.shape
    # Stable, as on the processor: equals stand in the order of the labels.
    state.orders[...] = xp.argsort(xp.ascontiguousarray(labels.T), axis=1, kind="stable")
    state.weights[...] = to_card(sampler.relative_spreads(to_host(labels.astype(np.float64).std(axis=0))))
    if len(state.places):
        ranks = xp.broadcast_to(xp.arange(n_labels, dtype=np.int32), (n_factors, n_labels))
        state.places[state.orders.ravel(), xp.repeat(xp.arange(n_factors), n_labels)] = ranks.ravel()
