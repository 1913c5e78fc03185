"""Checks of parameters that several families share; the caller passes the name for the messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt

from vsenumba.errors import InputError, unknown_name

RandomLike = int | np.integer | np.random.Generator | np.random.RandomState | np.random.SeedSequence | None

# One more than the largest int64.
_LIMIT = 2**63


def is_number(value: object) -> bool:
    """Return whether a value is a real number; NaN and infinities are, True and False are not."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def is_whole(value: object, least: int = 1) -> bool:
    """Return whether a value is a whole number from `least` to the largest int64; 2.0 is, True is not."""
    return is_number(value) and least <= value < _LIMIT and int(value) == value  # type: ignore[operator,call-overload]


def paths_of(value: object) -> list[str | PathLike[str]] | None:
    """Return one or more paths as a list; None if the value is neither a path nor a list or tuple of paths."""
    paths = [value] if isinstance(value, (str, PathLike)) else value
    if not isinstance(paths, (list, tuple)) or not paths or not all(isinstance(one, (str, PathLike)) for one in paths):
        return None
    return list(paths)


def refuse_masked(name: str, array: object) -> None:
    """Refuse a masked array, whose masked values would be used like the others."""
    if isinstance(array, np.ma.MaskedArray):
        raise InputError(f"{name} must not be a masked array; use {name}.filled(...) or {name}.compressed()")


def check_choice(parameter: str, value: object, choices: Iterable[str]) -> None:
    """Refuse a value that is not one of a parameter's choices; the error suggests the nearest ones."""
    known = list(choices)
    if not isinstance(value, str) or value not in known:
        raise unknown_name(parameter, value, known)


def as_array(what: str, values: Any) -> np.ndarray:
    """Return values as an array; refuse values without order, rows of different lengths, and masked arrays.

    Raises
    ------
    InputError
        If it is a set, a mapping, ragged or masked; the message names `what`.
    """
    if isinstance(values, (Set, Mapping)):
        raise InputError(f"{what} must be an array or a list, not a {type(values).__name__}, which has no order")
    refuse_masked(what, values)
    try:
        return np.asarray(values)
    except (ValueError, TypeError, OverflowError, UnicodeEncodeError) as error:
        raise InputError(f"{what} must be an array, or lists of equal length: {error!s:.80}") from error


def whole_numbers(what: str, values: Any, dtype: npt.DTypeLike = np.int64) -> np.ndarray:
    """Return whole numbers as a contiguous integer array; refuse values that the conversion would change.

    Parameters
    ----------
    what : str
        The name of the numbers in messages.
    values : (n,) array or sequence
        The numbers; floats with whole values are allowed.
    dtype : type
        The type, ``np.int32`` or ``np.int64``.

    Raises
    ------
    InputError
        If they have another shape, are not numbers, are not whole, or are too large for the type.

    Examples
    --------
    >>> whole_numbers("indices", [0, 0.9], np.int32)
    Traceback (most recent call last):
    vsenumba.errors.InputError: indices must be whole numbers of at most 31 bits, found 0.9
    """
    numbers = as_array(what, values)
    if numbers.ndim != 1 or (numbers.dtype.kind not in "iuf" and len(numbers)):
        raise InputError(
            f"{what} must be a one-dimensional array of whole numbers, not {numbers.dtype} {numbers.shape}"
        )
    if len(numbers) and not np.can_cast(numbers.dtype, dtype):
        odd = numbers[numbers != np.trunc(numbers)] if numbers.dtype.kind == "f" else []
        extremes = odd[:1] if len(odd) else (numbers.min(), numbers.max())
        bits = np.iinfo(np.dtype(dtype)).bits - 1
        for one in extremes:
            if len(odd) or not -(2**bits) <= one.item() < 2**bits:
                raise InputError(f"{what} must be whole numbers of at most {bits} bits, found {one}")
    return np.ascontiguousarray(numbers, dtype=dtype)


def seed_sequence(rng: RandomLike, argument: str = "rng") -> np.random.SeedSequence:
    """Return a seed sequence for an int, a Generator, a SeedSequence, a legacy RandomState or None.

    A Generator or RandomState is advanced by one draw; None takes fresh entropy from the operating system.

    Raises
    ------
    InputError
        If it is anything else, or a negative number; the message names `argument`.
    """
    if isinstance(rng, np.random.SeedSequence):
        return rng
    if isinstance(rng, np.random.Generator):
        return np.random.SeedSequence(int(rng.integers(2**63)))
    if isinstance(rng, np.random.RandomState):
        return np.random.SeedSequence(int(rng.randint(2**31)))
    if rng is None or (isinstance(rng, (int, np.integer)) and not isinstance(rng, bool) and rng >= 0):
        return np.random.SeedSequence(None if rng is None else int(rng))
    raise InputError(f"{argument} must be a whole number >= 0, a Generator, a SeedSequence or None, not {rng!r}")


def generator(rng: RandomLike) -> np.random.Generator:
    """Return a generator for `rng`, which may be anything that `seed_sequence` accepts."""
    return rng if isinstance(rng, np.random.Generator) else np.random.default_rng(seed_sequence(rng))
