"""The logistic function and its integral, in arithmetic that becomes vector code; calls of `exp` and `log` do not."""

from __future__ import annotations

import numpy as np

from vsenumba.kernels.bits import bits_float
from vsenumba.kernels.compiler import kernel

# exp(-87) is just above the smallest float32 of full precision.
_LARGEST = np.float32(87.0)
_LOG2_E = np.float32(1.4426950408889634)
# ln 2 is split into two parts. The first has few bits, so that its multiples are exact.
_LN2_HIGH = np.float32(0.693359375)
_LN2_LOW = np.float32(-2.12194440e-4)


@kernel(inline=True)
def exp_minus(x):
    """Return exp(-x) of a float32 x >= 0, with a relative error up to 3e-7; for x > 87, return exp(-87), 2e-38."""
    inside = min(np.float32(x), _LARGEST)
    halvings = np.int32(inside * _LOG2_E + np.float32(0.5))
    power = np.float32(halvings)
    rest = (power * _LN2_HIGH - inside) + power * _LN2_LOW
    # The Taylor series of exp(rest) for |rest| <= ln(2) / 2, up to the precision of float32.
    series = np.float32(1 / 720) + rest * np.float32(1 / 5040)
    series = np.float32(1 / 120) + rest * series
    series = np.float32(1 / 24) + rest * series
    series = np.float32(1 / 6) + rest * series
    series = np.float32(1 / 2) + rest * series
    series = np.float32(1) + rest * series
    series = np.float32(1) + rest * series
    return series * bits_float((np.int32(127) - halvings) << np.int32(23))


@kernel(inline=True)
def log_one_plus(t):
    """Return ln(1 + t) of a float32 t in 0..1, with a relative error up to 3e-7."""
    # ln((1 + z) / (1 - z)) = 2 (z + z³/3 + z⁵/5 + ...), z = t / (2 + t) <= 1/3.
    z = t / (np.float32(2) + t)
    square = z * z
    series = np.float32(1 / 9) + square * np.float32(1 / 11)
    series = np.float32(1 / 7) + square * series
    series = np.float32(1 / 5) + square * series
    series = np.float32(1 / 3) + square * series
    return np.float32(2) * z * (np.float32(1) + square * series)


@kernel(inline=True)
def logistic(score):
    """Return ``σ(s) = 1 / (1 + exp(-s))`` and its integral ``ln(1 + exp(s))`` of a float32 score."""
    small = exp_minus(abs(score))
    inverse = np.float32(1) / (np.float32(1) + small)
    sigma = inverse if score >= 0 else small * inverse
    return sigma, max(score, np.float32(0)) + log_one_plus(small)
