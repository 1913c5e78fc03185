"""A group of lanes works on a pair together: which lane one is, sums over the group, additions to what others add to.

On a card a group is a warp, whose lanes exchange numbers by shuffles. Simulated, where there are no warps, it is a
block of a few threads, which exchange them by memory that they share; blocks run one after another there. So each
function has two bodies, and the simulator tests what is written in terms of them, not the shuffles.

All lanes of a group must call these functions together, except for `lane`.
"""

from __future__ import annotations

import threading

import numpy as np

from vsenumba.gpu.backend import SIMULATED, cuda, device_function

#: Lanes of a group. A row of a table is padded to a multiple of so many numbers, 128 bytes on a card.
LANES = 4 if SIMULATED else 32

_ALL = np.uint32(0xFFFFFFFF)
_HALF = LANES // 2

if SIMULATED:
    # By turns: who reads of one what has been exchanged is not overtaken by who writes what comes next to the other.
    _EXCHANGED = np.zeros((2, LANES, 3), np.float64)

    def lane():
        """Return which lane of its group the caller is."""
        return threading.current_thread().threadIdx.x  # type: ignore[attr-defined]  # the simulator's

    def together():
        """Have the lanes see what the others have written."""
        threading.current_thread().syncthreads()  # type: ignore[attr-defined]

    def begin_sharing():
        """Begin to allocate shared memory: simulated, the first lane goes first."""
        if lane() > 0:
            together()

    def end_sharing():
        """End it: two lanes that allocate at the same time would get memory of their own each."""
        if lane() == 0:
            together()

    def _exchanged(*values):
        thread = threading.current_thread()
        thread.turn = 1 - getattr(thread, "turn", 0)  # type: ignore[attr-defined]
        _EXCHANGED[thread.turn, lane(), : len(values)] = values  # type: ignore[attr-defined]
        together()
        return _EXCHANGED[thread.turn]  # type: ignore[attr-defined]

    def total(value):
        """Return the sum of a number over the group, the same for each lane."""
        return type(value)(_exchanged(value)[:, 0].sum())

    def totals(first, second, third):
        """Return the sums of three float32 numbers."""
        return tuple(np.float32(one) for one in _exchanged(first, second, third).sum(axis=0))

    def highest(value):
        """Return the largest of the lanes' numbers."""
        return type(value)(_exchanged(value)[:, 0].max())

    def count_over(value):
        """Return the sum of a whole number over the group."""
        return int(_exchanged(value)[:, 0].sum())

    def lowest_over(value):
        """Return the smallest of the lanes' whole numbers."""
        return int(_exchanged(value)[:, 0].min())

    def from_lane(value, source):
        """Return the number of one lane."""
        return type(value)(_exchanged(value)[source, 0])

    def add_at(row, column, value):
        """Add to a number of a row to which other groups may add at the same time."""
        row[column] += value

    def add_and_get(numbers, place, value):
        """Add to a number, as `add_at`; return the sum. A lane may call it alone."""
        numbers[place] += value
        return numbers[place]

else:  # pragma: no cover  # compiled for a card

    @device_function
    def lane():
        """Return which lane of its group the caller is."""
        return cuda.threadIdx.x

    @device_function
    def together():
        """Have the lanes see what the others have written."""
        cuda.syncwarp(_ALL)

    @device_function
    def begin_sharing():
        """Begin to allocate shared memory; see the simulator's."""

    @device_function
    def end_sharing():
        """End it."""

    @device_function
    def total(value):
        """Return the sum of a number over the group, the same for each lane."""
        distance = _HALF
        while distance > 0:
            value += cuda.shfl_xor_sync(_ALL, value, distance)
            distance >>= 1
        return value

    @device_function
    def totals(first, second, third):
        """Return the sums of three float32 numbers, which do not wait for each other."""
        distance = _HALF
        while distance > 0:
            first += cuda.shfl_xor_sync(_ALL, first, distance)
            second += cuda.shfl_xor_sync(_ALL, second, distance)
            third += cuda.shfl_xor_sync(_ALL, third, distance)
            distance >>= 1
        return first, second, third

    @device_function
    def highest(value):
        """Return the largest of the lanes' numbers."""
        distance = _HALF
        while distance > 0:
            value = max(value, cuda.shfl_xor_sync(_ALL, value, distance))
            distance >>= 1
        return value

    @device_function
    def count_over(value):
        """Return the sum of a whole number over the group."""
        return total(np.int64(value))

    @device_function
    def lowest_over(value):
        """Return the smallest of the lanes' whole numbers."""
        return -highest(-np.int64(value))

    @device_function
    def from_lane(value, source):
        """Return the number of one lane."""
        return cuda.shfl_sync(_ALL, value, source)

    @device_function
    def add_at(row, column, value):
        """Add to a number of a row to which other groups may add at the same time."""
        cuda.atomic.add(row, column, value)

    @device_function
    def add_and_get(numbers, place, value):
        """Add to a number, as `add_at`; return the sum. A lane may call it alone."""
        return cuda.atomic.add(numbers, place, value) + value


@device_function
def count(room, tally, column, value):
    """Add to a number of the group's tally."""
    if room.lane == 0:
        tally[column] += value
