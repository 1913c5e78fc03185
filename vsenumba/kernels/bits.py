"""Floats as integers with the same bits. For floats that are not negative, both have the same order.

The compiler turns a maximum of integers into vector code, but not a maximum of floats, because of NaN.
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
