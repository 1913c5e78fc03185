"""What is on the card: arrays there and back, and whether they fit. Simulated, the card's memory is the host's."""

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

#: NumPy for the card's arrays: CuPy, or simulated NumPy itself; None where there is none, which `require_card` says.
xp: Any = np if SIMULATED else importlib.import_module("cupy") if importlib.util.find_spec("cupy") else None


def to_card(array: np.ndarray) -> Any:
    """Return a copy of an array on the card."""
    return xp.array(array)


class Uploads:
    """Copies arrays to the card without waiting for the kernels that run there: from pinned memory, in their turn.

    So the host can gather the next launch's pairs meanwhile.
    """

    def __init__(self) -> None:
        # Events after copies, and the pinned memory that these read: of the last upload, and of that before it.
        self._last: tuple[Any, list[Any]] | None = None

    def upload(self, *arrays: np.ndarray) -> list[Any]:
        """Return copies of arrays on the card, for the kernels that are launched after this."""
        return [to_card(array) for array in arrays] if SIMULATED else self._in_turn(arrays)

    def _in_turn(self, arrays: Sequence[np.ndarray]) -> list[Any]:  # pragma: no cover  # on a card
        empty_pinned = importlib.import_module("cupyx").empty_pinned
        pinned, copies = [], []
        for array in arrays:
            copies.append(xp.empty(array.shape, array.dtype))
            if array.size:
                pinned.append(empty_pinned(array.shape, array.dtype))
                pinned[-1][...] = array
                copies[-1].set(pinned[-1], stream=xp.cuda.Stream.null)
        if self._last is not None:
            # Its memory is given back now: the card must have read it.
            self._last[0].synchronize()
        self._last = xp.cuda.Stream.null.record(), pinned
        return copies


def to_host(array: Any) -> np.ndarray:
    """Return an array of the card, or what it holds, on the host."""
    return array if SIMULATED else xp.asnumpy(array)


def padded(n_factors: int) -> int:
    """Return the length of a row on the card: whole lines of the memory, so that a group reads it in whole lines."""
    return -(-n_factors // LANES) * LANES


def table_to_card(table: np.ndarray) -> Any:
    """Return a copy of a table on the card, (rows, padded k) float32, the padding being 0."""
    rows, n_factors = table.shape
    copy = xp.zeros((rows, padded(n_factors)), np.float32)
    copy[:, :n_factors] = to_card(table)
    return copy


def state_to_card(state: Any, known: Mapping[int, Any]) -> Any:
    """Return a named tuple with its arrays on the card.

    Parameters
    ----------
    state : NamedTuple
        Of arrays and numbers.
    known : mapping from int to array
        What is on the card already, by the ``id`` of the host's array.
    """
    moved = {
        name: known[id(value)] if id(value) in known else to_card(value)
        for name, value in zip(state._fields, state, strict=True)
        if isinstance(value, np.ndarray)
    }
    return state._replace(**moved)


def state_bytes(state: Any) -> int:
    """Return how much memory the arrays of a named tuple take."""
    return sum(array.nbytes for array in state if isinstance(array, np.ndarray))


def free_bytes() -> int:
    """Return how much of the card's memory is free."""
    return available_bytes() if SIMULATED else int(xp.cuda.runtime.memGetInfo()[0])


def check_fits(needed: int, what: str, advice: str) -> None:
    """Refuse what does not fit on the card, before any of it is there.

    Raises
    ------
    MemoryLimitError
        If more bytes are needed than are free; both numbers are named.
    """
    free = free_bytes()
    if needed > free:
        raise MemoryLimitError(f"{what} takes {needed:,} bytes on the card, and {free:,} are free; {advice}")
