"""Arrays as they come from other processes, files and users: the same numbers in other forms."""

from __future__ import annotations

import numpy as np


def frozen(array):
    """Return a copy that cannot be written, as a map of a file cannot."""
    array = array.copy(order="K")
    array.flags.writeable = False
    return array


def unaligned(array):
    memory = np.zeros(array.nbytes + 1, np.uint8)
    result = memory[1:].view(array.dtype).reshape(array.shape)
    result[...] = array
    return result


# Of float32 tables of two dimensions.
FORMS = {
    "as it is": lambda array: array.copy(),
    "read-only": frozen,
    "Fortran": np.asfortranarray,
    "read-only Fortran": lambda array: frozen(np.asfortranarray(array)),
    "big-endian": lambda array: array.astype(">f4"),
    "float64": lambda array: array.astype(np.float64),
    "every other column": lambda array: np.repeat(array, 2, axis=-1)[..., ::2],
    "backwards": lambda array: array[::-1].copy()[::-1],
    "unaligned": unaligned,
}
