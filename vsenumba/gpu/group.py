"""A group of lanes that work on one pair together: lane numbers, sums over the group, and atomic additions.

On a GPU a group is a warp, whose lanes exchange numbers by shuffles. The simulator has no warps. There a group is a
block of a few threads that exchange numbers through shared memory, and blocks run one after another. So each function
has two bodies. The simulator tests the code that uses these functions, but not the shuffles themselves.

All lanes of a group must call these functions together, except for `lane`.
"""

from __future__ import annotations

import threading

import numpy as np

from vsenumba.gpu.backend import SIMULATED, cuda, device_function

#: The number of lanes in a group. Rows of tables are padded to a multiple of this, which is 128 bytes on a GPU.
LANES = 4 if SIMULATED else 32

_ALL = np.uint32(0xFFFFFFFF)
_HALF = LANES // 2

if SIMULATED:
    # Two buffers in turn: a lane that writes the next numbers cannot overwrite those that another lane still reads.
    _EXCHANGED = np.zeros((2, LANES, 3), np.float64)

    def lane():
        """Return the number of the calling lane in its group."""
        return threading.current_thread().threadIdx.x  # type: ignore[attr-defined]  # the simulator's

    def together():
        """Wait until every lane sees what the others have written."""
        threading.current_thread().syncthreads()  # type: ignore[attr-defined]

    def begin_sharing():
        """Start to allocate shared memory. In the simulator, the first lane has to allocate it first."""
        if lane() > 0:
            together()

    def end_sharing():
        """Finish the allocation. Without the order, two lanes could each get their own memory in the simulator."""
        if lane() == 0:
            together()

    def _exchanged(*values):
        thread = threading.current_thread()
        thread.turn = 1 - getattr(thread, "turn", 0)  # type: ignore[attr-defined]
        _EXCHANGED[thread.turn, lane(), : len(values)] = values  # type: ignore[attr-defined]
        together()
        return _EXCHANGED[thread.turn]  # type: ignore[attr-defined]

    def total(value):
        """Return the sum of a number over the group, to every lane."""
        return type(value)(_exchanged(value)[:, 0].sum())

    def totals(first, second, third):
        """Return the sums of three float32 numbers over the group."""
        return tuple(np.float32(one) for one in _exchanged(first, second, third).sum(axis=0))

    def highest(value):
        """Return the largest number over the group."""
        return type(value)(_exchanged(value)[:, 0].max())

    def count_over(value):
        """Return the sum of an integer over the group."""
        return int(_exchanged(value)[:, 0].sum())

    def lowest_over(value):
        """Return the smallest integer over the group."""
        return int(_exchanged(value)[:, 0].min())

    def from_lane(value, source):
        """Return the number of the lane `source` to every lane."""
        return type(value)(_exchanged(value)[source, 0])

    def add_at(row, column, value):
        """Add to a number of a row that other groups may change at the same time."""
        row[column] += value

    def add_and_get(numbers, place, value):
        """Add to a number like `add_at`, and return the sum. A single lane may call this."""
        numbers[place] += value
        return numbers[place]

else:  # pragma: no cover  # compiled for a GPU

    @device_function
    def lane():
        """Return the number of the calling lane in its group."""
        return cuda.threadIdx.x

    @device_function
    def together():
        """Wait until every lane sees what the others have written."""
        cuda.syncwarp(_ALL)

    @device_function
    def begin_sharing():
        """Do nothing; only the simulator needs an order."""

    @device_function
    def end_sharing():
        """Do nothing; only the simulator needs an order."""

    @device_function
    def total(value):
        """Return the sum of a number over the group, to every lane."""
        distance = _HALF
        while distance > 0:
            value += cuda.shfl_xor_sync(_ALL, value, distance)
            distance >>= 1
        return value

    @device_function
    def totals(first, second, third):
        """Return the sums of three float32 numbers; the three chains of shuffles overlap."""
        distance = _HALF
        while distance > 0:
            first += cuda.shfl_xor_sync(_ALL, first, distance)
            second += cuda.shfl_xor_sync(_ALL, second, distance)
            third += cuda.shfl_xor_sync(_ALL, third, distance)
            distance >>= 1
        return first, second, third

    @device_function
    def highest(value):
        """Return the largest number over the group."""
        distance = _HALF
        while distance > 0:
            value = max(value, cuda.shfl_xor_sync(_ALL, value, distance))
            distance >>= 1
        return value

    @device_function
    def count_over(value):
        """Return the sum of an integer over the group."""
        return total(np.int64(value))

    @device_function
    def lowest_over(value):
        """Return the smallest integer over the group."""
        return -highest(-np.int64(value))

    @device_function
    def from_lane(value, source):
        """Return the number of the lane `source` to every lane."""
        return cuda.shfl_sync(_ALL, value, source)

    @device_function
    def add_at(row, column, value):
        """Add to a number of a row that other groups may change at the same time."""
        cuda.atomic.add(row, column, value)

    @device_function
    def add_and_get(numbers, place, value):
        """Add to a number like `add_at`, and return the sum. A single lane may call this."""
        return cuda.atomic.add(numbers, place, value) + value


@device_function
def count(room, tally, column, value):
    """Add to a column of the group's tally."""
    if room.lane == 0:
        tally[column] += value
