"""The gate before the kernels: what they are handed has the shape, the type and the order that they take for granted.

Kernels check nothing, so that an array that is cut short would be read, or written, past its end. Arrays come from
files, from pickles, from other processes and from whoever sets an attribute; each passes one of these functions once a
launch, an epoch or a training, never once a step.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from vsenumba.errors import InputError
from vsenumba.kernels.aligned import aligned_empty

# How long each axis must be; None for any length.
Shape = tuple[int | None, ...]


def readable(name: str, array: Any, shape: Shape, dtype: Any = np.float32) -> np.ndarray:
    """Return an array for kernels that only read it: as it is where that will do, otherwise a copy.

    Parameters
    ----------
    name : str
        What messages call it.
    array : array
        Read-only, of the other byte order or not contiguous as it may be.
    shape : tuple of int or None
        How long each axis must be; None for any length.
    dtype : type
        What kernels take; floats of another size are converted, and whole numbers of a smaller one.

    Raises
    ------
    InputError
        If it has another shape, or numbers of another kind; both are named.

    Examples
    --------
    >>> readable("tables_['image_factors']", np.ones((2, 3)), (None, 4))
    Traceback (most recent call last):
    vsenumba.errors.InputError: tables_['image_factors'] must have the shape (any, 4), not (2, 3)
    """
    dtype = np.dtype(dtype)
    array = np.asarray(array)
    found = array.shape
    if found != shape and (
        len(found) != len(shape) or any(n not in (None, m) for n, m in zip(shape, found, strict=True))
    ):
        expected = ", ".join("any" if n is None else str(n) for n in shape)
        raise InputError(f"{name} must have the shape ({expected}{',' * (len(shape) == 1)}), not {found}")
    # What passes at every launch, as a rule.
    if array.flags.carray and array.dtype == dtype:
        return array
    if not (array.dtype.kind == dtype.kind == "f" or np.can_cast(array.dtype, dtype)):
        raise InputError(f"{name} must hold {dtype} numbers, not {array.dtype}")
    if array.dtype != dtype or not (array.flags.c_contiguous and array.flags.aligned):
        array = np.require(array, dtype, ("C", "A"))
    return array if array.flags.writeable else lent(array)


def lent(array: np.ndarray) -> np.ndarray:
    """Return a read-only array's memory as an array that looks writeable: Numba would compile each kernel once more.

    That is all that `readable` does for the arrays of a set, which have their types.

    Whoever writes to it may end the process: only kernels may have it.
    """
    interface = array.__array_interface__  # made afresh
    interface["data"] = interface["data"][0], False
    return np.asarray(SimpleNamespace(__array_interface__=interface, array=array))


def writable(name: str, array: Any, shape: Shape) -> np.ndarray:
    """Return a float32 array that kernels may change: itself where they can, otherwise a copy, to be kept in its place.

    The parameters and errors are those of `readable`.
    """
    found = readable(name, array, shape)
    given = np.asarray(array)
    if given.flags.carray and given.dtype == np.float32:
        return found
    copy = aligned_empty(found.shape)
    copy[...] = found
    return copy


def admit(owner: str, arrays: MutableMapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Have arrays by name be such as kernels may change; those that are not are replaced by copies.

    Parameters
    ----------
    owner : str
        What messages call the mapping.
    arrays : mapping from str to array
        Changed: see `writable`.
    shapes : mapping from str to tuple
        The names and shapes there must be.

    Raises
    ------
    InputError
        If an array is missing, or has another shape or numbers of another kind.
    """
    for name, shape in shapes.items():
        if name not in arrays:
            raise InputError(f"{owner} has no {name!r}; it must have the shape {shape}")
        arrays[name] = writable(f"{owner}[{name!r}]", arrays[name], shape)


def segments(name: str, offsets: Any, n_rows: int, n_segments: int | None = None, least: int = 0) -> np.ndarray:
    """Return where segments of rows begin, (n + 1,) int64, having made sure that they rise from 0 to `n_rows`.

    Parameters
    ----------
    name, offsets : str, array
        As in `readable`.
    n_rows, n_segments : int, int or None
        How many rows there are, and how many segments; None for any number.
    least : int
        The rows that a segment has at least.

    Raises
    ------
    InputError
        If they do not.
    """
    offsets = readable(name, offsets, (None if n_segments is None else n_segments + 1,), np.int64)
    if not len(offsets) or offsets[0] != 0 or offsets[-1] != n_rows or (np.diff(offsets) < least).any():
        raise InputError(f"{name} must rise from 0 to the number of rows, {n_rows:,}, in steps of {least} or more")
    return offsets


def below(name: str, numbers: Any, bound: int) -> np.ndarray:
    """Return row numbers, (n,) int32, having made sure that they lie in 0..bound - 1.

    Raises
    ------
    InputError
        If one does not.
    """
    numbers = readable(name, numbers, (None,), np.int32)
    if len(numbers) and not 0 <= numbers.min() <= numbers.max() < bound:
        raise InputError(f"{name} must lie in 0..{bound - 1}, found {numbers.min()}..{numbers.max()}")
    return numbers
