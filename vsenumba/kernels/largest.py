"""Find the largest numbers of an array."""

from __future__ import annotations

from vsenumba.kernels.compiler import kernel


@kernel
def choose_largest(values, excluded, size, chosen):
    """Write the positions of the `size` largest values that are not excluded, and return their number.

    Parameters
    ----------
    values, excluded : (n,) float32, (n,) bool
        The values, and which of them are excluded.
    size : int
        The number of positions, at least 1. There are fewer if fewer values are not excluded.
    chosen : (n,) int32
        The positions, written from the start. They form a heap with the smallest value first.
    """
    n_chosen = 0
    for place in range(values.shape[0]):
        if not excluded[place]:
            if n_chosen < size:
                chosen[n_chosen] = place
                rise(values, chosen, n_chosen)
                n_chosen += 1
            elif values[place] > values[chosen[0]]:
                chosen[0] = place
                sink(values, chosen, n_chosen)
    return n_chosen


@kernel(inline=True)
def rise(values, heap, node):
    """Move the last position of a heap up until its parent's value is not larger."""
    while node > 0 and values[heap[node]] < values[heap[(node - 1) // 2]]:
        parent = (node - 1) // 2
        heap[node], heap[parent] = heap[parent], heap[node]
        node = parent


@kernel(inline=True)
def sink(values, heap, size):
    """Move the first position of a heap down until no child's value is smaller."""
    node = 0
    while 2 * node + 1 < size:
        child = 2 * node + 1
        if child + 1 < size and values[heap[child + 1]] < values[heap[child]]:
            child += 1
        if values[heap[child]] >= values[heap[node]]:
            break
        heap[node], heap[child] = heap[child], heap[node]
        node = child
