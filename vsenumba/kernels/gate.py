"""Check and convert arrays before kernels use them.

Kernels check nothing, so they would read or write past the end of an array that is too short. Arrays come from files,
from pickles, from other processes and from users who set an attribute. Each array passes one of these functions once
per launch, epoch or training, never once per step.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from vsenumba.errors import InputError
from vsenumba.kernels.aligned import aligned_empty

# The length of each axis; None for any length.
Shape = tuple[int | None, ...]


def readable(name: str, array: Any, shape: Shape, dtype: Any = np.float32) -> np.ndarray:
    """Return an array that kernels can read: the array itself if possible, otherwise a copy.

    Parameters
    ----------
    name : str
        The name of the array in error messages.
    array : array_like
        The array. It may be read-only, of the other byte order, or not contiguous.
    shape : tuple of int or None
        The required length of each axis; None for any length.
    dtype : dtype
        The type for the kernel. Floats of another size are converted, and so are integers of a smaller size.

    Returns
    -------
    array
        A C-contiguous array of type `dtype`.

    Raises
    ------
    InputError
        If the array has another shape or another kind of numbers.

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
    # This is the usual case at every launch.
    if array.flags.carray and array.dtype == dtype:
        return array
    if not (array.dtype.kind == dtype.kind == "f" or np.can_cast(array.dtype, dtype)):
        raise InputError(f"{name} must hold {dtype} numbers, not {array.dtype}")
    if array.dtype != dtype or not (array.flags.c_contiguous and array.flags.aligned):
        array = np.require(array, dtype, ("C", "A"))
    return array if array.flags.writeable else lent(array)


def lent(array: np.ndarray) -> np.ndarray:
    """Return a writeable view of a read-only array, for kernels that do not write to it.

    Numba compiles a kernel once more for read-only arrays. The arrays of a data set have the right types already, so
    for them this function replaces `readable`.

    Pass the result to kernels only: writing to it may crash the process.
    """
    interface = array.__array_interface__  # a new dictionary at each access
    interface["data"] = interface["data"][0], False
    return np.asarray(SimpleNamespace(__array_interface__=interface, array=array))


def writable(name: str, array: Any, shape: Shape) -> np.ndarray:
    """Return a float32 array that kernels can change: the array itself if possible, otherwise a copy.

    A caller must store the copy in place of the array. `readable` describes the parameters and errors.
    """
    found = readable(name, array, shape)
    given = np.asarray(array)
    if given.flags.carray and given.dtype == np.float32:
        return found
    copy = aligned_empty(found.shape)
    copy[...] = found
    return copy


def admit(owner: str, arrays: MutableMapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Replace the arrays in a mapping that kernels cannot change by copies.

    Parameters
    ----------
    owner : str
        The name of the mapping in error messages.
    arrays : mapping from str to array
        The arrays, replaced in the mapping where needed; see `writable`.
    shapes : mapping from str to tuple
        The required names and shapes.

    Raises
    ------
    InputError
        If an array is missing, or has another shape or another kind of numbers.
    """
    for name, shape in shapes.items():
        if name not in arrays:
            raise InputError(f"{owner} has no {name!r}; it must have the shape {shape}")
        arrays[name] = writable(f"{owner}[{name!r}]", arrays[name], shape)


def segments(name: str, offsets: Any, n_rows: int, n_segments: int | None = None, least: int = 0) -> np.ndarray:
    """Check the offsets of segments, and return them as an (n + 1,) int64 array.

    Offsets must rise from 0 to `n_rows`. Segment i has the rows ``offsets[i]`` to ``offsets[i + 1] - 1``.

    Parameters
    ----------
    name, offsets : str, array_like
        As in `readable`.
    n_rows : int
        The number of rows.
    n_segments : int or None
        The number of segments; None for any number.
    least : int
        The least number of rows in a segment.

    Raises
    ------
    InputError
        If the offsets are not like this.
    """
    offsets = readable(name, offsets, (None if n_segments is None else n_segments + 1,), np.int64)
    if not len(offsets) or offsets[0] != 0 or offsets[-1] != n_rows or (np.diff(offsets) < least).any():
        raise InputError(f"{name} must rise from 0 to the number of rows, {n_rows:,}, in steps of {least} or more")
    return offsets


def below(name: str, numbers: Any, bound: int) -> np.ndarray:
    """Check that row numbers lie in 0..bound - 1, and return them as an (n,) int32 array.

    Raises
    ------
    InputError
        If a number is out of range.
    """
    numbers = readable(name, numbers, (None,), np.int32)
    if len(numbers) and not 0 <= numbers.min() <= numbers.max() < bound:
        raise InputError(f"{name} must lie in 0..{bound - 1}, found {numbers.min()}..{numbers.max()}")
    return numbers
