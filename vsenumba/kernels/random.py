"""Random numbers: one xorshift generator per shard of the work.

A shard, not a thread, owns a random state, so that the draws are the same for any number of threads. The generator
(Marsaglia 2003, "Xorshift RNGs", the 64-bit triple 13, 7, 17) shifts and xors only, so that its values agree with
and without the compiler; its upper 32 bits are used.
"""

from __future__ import annotations

import numpy as np

from vsenumba.kernels.compiler import kernel

# A state fills a cache line of its own: neighbours would otherwise slow each other down.
_WORDS_PER_STATE = 8


def spawned(seeds: np.random.SeedSequence, *key: int) -> np.random.SeedSequence:
    """Return the seeds for the purpose that `key` numbers, whoever asks and however often."""
    return np.random.SeedSequence(seeds.entropy, spawn_key=(*seeds.spawn_key, *key))


def shard_states(seeds: np.random.SeedSequence, n_shards: int) -> np.ndarray:
    """Return fresh random states, (n_shards, 8) uint64, of which the first column is used."""
    states = np.zeros((n_shards, _WORDS_PER_STATE), dtype=np.uint64)
    # The one value xorshift never leaves is 0.
    states[:, 0] = seeds.generate_state(n_shards, np.uint64) | np.uint64(1)
    return states


@kernel(inline=True)
def next_bits(states, shard):
    """Advance a shard's generator; return its upper 32 bits as uint64."""
    x = states[shard, 0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    states[shard, 0] = x
    return x >> np.uint64(32)


@kernel(inline=True)
def next_below(states, shard, n):
    """Return a whole number in 0..n-1, for n < 2^31, by multiplication and shift (no division)."""
    return np.int64((next_bits(states, shard) * np.uint64(n)) >> np.uint64(32))


@kernel(inline=True)
def next_uniform(states, shard):
    """Return a float64 strictly between 0 and 1, one of 2^32 equally spaced ones."""
    return (np.float64(next_bits(states, shard)) + 0.5) * 2.0**-32
