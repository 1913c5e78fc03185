"""Seeds in files, and those that are spawned of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vsenumba import storage


def spawned(seeds: np.random.SeedSequence, *key: int) -> np.random.SeedSequence:
    """Return the seeds that a model draws from for the purpose that `key` numbers."""
    return np.random.SeedSequence(seeds.entropy, spawn_key=(*seeds.spawn_key, *key))


def seeds_to_element(seeds: np.random.SeedSequence) -> storage.Json:
    """Return what stands in a file; as text, since the entropy has up to 128 bits."""
    return storage.Json({"entropy": str(seeds.entropy), "spawn_key": list(seeds.spawn_key)})


def seeds_from_element(element: Mapping[str, Any]) -> np.random.SeedSequence:
    """Return the seeds that `seeds_to_element` was given."""
    return np.random.SeedSequence(int(element["entropy"]), spawn_key=tuple(element["spawn_key"]))
