"""The GPU's memory: copies to and from it, and checks that arrays fit. The simulator uses the host's memory instead."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vsenumba.errors import MemoryLimitError
from vsenumba.gpu.backend import SIMULATED
from vsenumba.gpu.group import LANES
from vsenumba.memory import available_bytes

#: The array library of the GPU: CuPy, NumPy in the simulator, or None if CuPy is missing (see `require_card`).
xp: Any = np if SIMULATED else importlib.import_module("cupy") if importlib.util.find_spec("cupy") else None


def to_card(array: np.ndarray) -> Any:
    """Return a copy of an array on the GPU."""
    return xp.array(array)


class Uploads:
    """Copy arrays to the GPU from pinned memory, in the order of the kernels, without waiting for them.

    Meanwhile the host can collect the pairs of the next launch.
    """

    def __init__(self) -> None:
        # The event after the last upload, and the pinned memory that the upload reads.
        self._last: tuple[Any, list[Any]] | None = None

    def upload(self, *arrays: np.ndarray) -> list[Any]:
        """Return copies of arrays on the GPU. Kernels that are launched later can use them."""
        return [to_card(array) for array in arrays] if SIMULATED else self._in_turn(arrays)

    def _in_turn(self, arrays: Sequence[np.ndarray]) -> list[Any]:  # pragma: no cover  # on a GPU
        empty_pinned = importlib.import_module("cupyx").empty_pinned
        pinned, copies = [], []
        for array in arrays:
            copies.append(xp.empty(array.shape, array.dtype))
            if array.size:
                pinned.append(empty_pinned(array.shape, array.dtype))
                pinned[-1][...] = array
                copies[-1].set(pinned[-1], stream=xp.cuda.Stream.null)
        if self._last is not None:
            # Replacing `_last` frees its pinned memory, so the GPU must have read it.
            self._last[0].synchronize()
        self._last = xp.cuda.Stream.null.record(), pinned
        return copies


def to_host(array: Any) -> np.ndarray:
    """Return an array of the GPU as an array on the host."""
    return array if SIMULATED else xp.asnumpy(array)


def padded(n_factors: int) -> int:
    """Return the padded length of a row, a multiple of `LANES`, so that a group reads whole lines of memory."""
    return -(-n_factors // LANES) * LANES


def table_to_card(table: np.ndarray) -> Any:
    """Return a copy of a table on the GPU, (rows, padded k) float32; the padding is 0."""
    rows, n_factors = table.shape
    copy = xp.zeros((rows, padded(n_factors)), np.float32)
    copy[:, :n_factors] = to_card(table)
    return copy


def state_to_card(state: Any, known: Mapping[int, Any]) -> Any:
    """Return a named tuple whose arrays are on the GPU.

    Parameters
    ----------
    state : NamedTuple
        Arrays and numbers.
    known : mapping from int to array
        The arrays that are on the GPU already, by the ``id`` of the array on the host.
    """
    moved = {
        name: known[id(value)] if id(value) in known else to_card(value)
        for name, value in zip(state._fields, state, strict=True)
        if isinstance(value, np.ndarray)
    }
    return state._replace(**moved)


def state_bytes(state: Any) -> int:
    """Return the bytes of the arrays in a named tuple."""
    return sum(array.nbytes for array in state if isinstance(array, np.ndarray))


def free_bytes() -> int:
    """Return the free bytes of the GPU's memory."""
    return available_bytes() if SIMULATED else int(xp.cuda.runtime.memGetInfo()[0])


def check_fits(needed: int, what: str, advice: str) -> None:
    """Check that there is enough free memory on the GPU, before anything is copied.

    Parameters
    ----------
    needed : int
        The bytes that are needed.
    what : str
        The subject of the error message, such as "training 100 words".
    advice : str
        The remedy, for the error message.

    Raises
    ------
    MemoryLimitError
        If not enough memory is free; the message has both numbers.
    """
    free = free_bytes()
    if needed > free:
        raise MemoryLimitError(f"{what} needs {needed:,} bytes on the GPU, but only {free:,} are free; {advice}")
