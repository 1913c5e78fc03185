"""The largest of a row of numbers."""

from __future__ import annotations

from vsenumba.kernels.compiler import kernel


@kernel
def choose_largest(values, excluded, size, chosen):
    """Write the places of the `size` largest values that are not excluded, in no order; return how many there are.

    Parameters
    ----------
    values, excluded : (n,) float32, (n,) bool
        What is chosen by, and what may not be chosen.
    size : int
        At least 1.
    chosen : (n,) int32
        Written, the first so many. They form a heap, the smallest of them first.
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
    """Move the last of a heap's places up until its parent's value is no larger."""
    while node > 0 and values[heap[node]] < values[heap[(node - 1) // 2]]:
        parent = (node - 1) // 2
        heap[node], heap[parent] = heap[parent], heap[node]
        node = parent


@kernel(inline=True)
def sink(values, heap, size):
    """Move the first of a heap's places down until no child's value is smaller."""
    node = 0
    while 2 * node + 1 < size:
        child = 2 * node + 1
        if child + 1 < size and values[heap[child + 1]] < values[heap[child]]:
            child += 1
        if values[heap[child]] >= values[heap[node]]:
            break
        heap[node], heap[child] = heap[child], heap[node]
        node = child
