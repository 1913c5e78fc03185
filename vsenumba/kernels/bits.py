"""Floats as their bits: for floats that are not negative the order of the bits, seen as integers, is the same.

A maximum of integers becomes vector code; one of floats does not, as the compiler minds NaN.
"""

from __future__ import annotations

import numpy as np

from vsenumba.kernels.compiler import kernel


@kernel(inline=True)
def float_bits(value):
    """Return the bits of a float32 as int32."""
    single = np.float32(value)
    return single.view(np.int32)


@kernel(inline=True)
def bits_float(bits):
    """Return the float32 that has these bits, given as int32."""
    word = np.int32(bits)
    return word.view(np.float32)
