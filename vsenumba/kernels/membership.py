"""Test whether an image has a label."""

from __future__ import annotations

from vsenumba.kernels.compiler import kernel

# For so few labels, scanning one cache line is faster than a binary search.
_SCAN = 16


@kernel(inline=True)
def contains(indices, begin, end, label):
    """Return whether `label` is in ``indices[begin:end]``, which is strictly increasing."""
    while end - begin > _SCAN:
        middle = (begin + end) >> 1
        if indices[middle] <= label:
            begin = middle
        else:
            end = middle
    found = False
    for j in range(begin, end):
        found |= indices[j] == label
    return found
