"""Membership: is a label among the own labels of an image."""

from __future__ import annotations

from vsenumba.kernels.compiler import kernel

# Up to here a scan of one cache line beats the branches of a bisection.
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
