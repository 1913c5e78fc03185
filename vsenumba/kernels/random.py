"""Random numbers: a xorshift generator whose starting state is computed from a counter.

Each shard has its own random state. The generator (Marsaglia 2003, "Xorshift RNGs", the 64-bit triple 13, 7, 17) uses
shifts and xors only, so its values are the same with and without the compiler. The upper 32 bits are used.

In training, the state is set before every few draws. It is computed by Philox 4×32 (Salmon et al., SC 2011, "Parallel
random numbers: as easy as 1, 2, 3") from a key, which belongs to the epoch, and a counter, which names the pair and its
draw. So the draws do not depend on the order of the work. They are the same for any number of threads and on every
device.
"""

from __future__ import annotations

import numpy as np

from vsenumba.kernels.compiler import kernel

# A state fills a whole cache line, because threads that write to the same line slow each other down. The first word is
# the state of the generator. The next two words are the key.
_WORDS_PER_STATE = 8
STATE, LOW_KEY, HIGH_KEY = range(3)
WAITING = _WORDS_PER_STATE

# The multipliers of Philox 4×32, and the increments of its key.
_ROUNDS = 10
_FIRST, _SECOND = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_LOW_STEP, _HIGH_STEP = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


def spawned(seeds: np.random.SeedSequence, *key: int) -> np.random.SeedSequence:
    """Return the random seed for the purpose with the number `key`; the same key always gives the same seed."""
    return np.random.SeedSequence(seeds.entropy, spawn_key=(*seeds.spawn_key, *key))


def shard_states(seeds: np.random.SeedSequence, n_shards: int) -> np.ndarray:
    """Return new random states, (n_shards, 8) uint64; only the first column is used."""
    states = np.zeros((n_shards, _WORDS_PER_STATE), dtype=np.uint64)
    # A state of 0 would stay 0.
    states[:, STATE] = seeds.generate_state(n_shards, np.uint64) | np.uint64(1)
    return states


def counted_states(seeds: np.random.SeedSequence, n_shards: int, n_waiting: int = 0) -> np.ndarray:
    """Return states for `counted` draws, (n_shards, 8 + n_waiting) uint64, with the same key in every row.

    The columns from `WAITING` on hold states that are computed together and used one after another.
    """
    states = np.zeros((n_shards, _WORDS_PER_STATE + n_waiting), dtype=np.uint64)
    states[:, [LOW_KEY, HIGH_KEY]] = seeds.generate_state(2, np.uint32)
    return states


@kernel(inline=True)
def counted(low_key, high_key, counter, draw):
    """Return the state at the start of some draws, uint64: the first half of Philox 4×32 of the counter and the draw.

    All arguments are uint64; the keys and `draw` are below 2^32. Products of two such numbers do not overflow.
    """
    a, b, c, d = counter & _LOW, counter >> _HALF, draw, np.uint64(0)
    for _ in range(_ROUNDS):
        first, second = _FIRST * a, _SECOND * c
        a, b, c, d = (second >> _HALF) ^ b ^ low_key, second & _LOW, (first >> _HALF) ^ d ^ high_key, first & _LOW
        low_key, high_key = (low_key + _LOW_STEP) & _LOW, (high_key + _HIGH_STEP) & _LOW
    # A state of 0 would stay 0.
    return (a << _HALF) | b | np.uint64(1)


@kernel(inline=True)
def begin_draws(states, shard, counter, draw):
    """Set a shard's state to the start of the draws for a counter."""
    states[shard, STATE] = counted(
        states[shard, LOW_KEY], states[shard, HIGH_KEY], np.uint64(counter), np.uint64(draw)
    )  # fmt: skip


@kernel
def count_ahead(states, shard, counters, n, draw):
    """Compute the starting states for `n` counters at once as vector code, four times faster than one by one."""
    waiting, low_key, high_key = states[shard, WAITING:], states[shard, LOW_KEY], states[shard, HIGH_KEY]
    for i in range(n):
        waiting[i] = counted(low_key, high_key, np.uint64(counters[i]), np.uint64(draw))


@kernel(inline=True)
def next_bits(states, shard):
    """Advance a shard's generator, and return its upper 32 bits as uint64."""
    x = states[shard, STATE]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    states[shard, STATE] = x
    return x >> np.uint64(32)


@kernel(inline=True)
def next_below(states, shard, n):
    """Return a random integer in 0..n-1 for n < 2^31, by a multiplication and a shift instead of a division."""
    return np.int64((next_bits(states, shard) * np.uint64(n)) >> np.uint64(32))


@kernel(inline=True)
def next_uniform(states, shard):
    """Return a random float64 strictly between 0 and 1, one of 2^32 equally spaced numbers."""
    return (np.float64(next_bits(states, shard)) + 0.5) * 2.0**-32
