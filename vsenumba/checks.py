"""Checks of parameters that several families share; what is refused is named by the caller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np
import numpy.typing as npt

from vsenumba.errors import InputError, unknown_name

# What an int64 holds.
_LIMIT = 2**63


def is_number(value: object) -> bool:
    """Return whether it is a real number, NaN and infinities among them; True and False are not."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def is_whole(value: object, least: int = 1) -> bool:
    """Return whether it is a whole number of at least `least` that an int64 holds; 2.0 is, True is not."""
    return is_number(value) and least <= value < _LIMIT and int(value) == value  # type: ignore[operator,call-overload]


def check_choice(parameter: str, value: object, choices: Iterable[str]) -> None:
    """Refuse a value that is not one of the choices a parameter has; the nearest are suggested."""
    known = list(choices)
    if not isinstance(value, str) or value not in known:
        raise unknown_name(parameter, value, known)


def as_array(what: str, values: Any) -> np.ndarray:
    """Return values as an array, refusing what has none: no order, or rows of different lengths.

    Raises
    ------
    InputError
        If it is a set, a mapping or ragged; the message names `what`.
    """
    if isinstance(values, (Set, Mapping)):
        raise InputError(f"{what} must be an array or a list, not a {type(values).__name__}, which has no order")
    try:
        return np.asarray(values)
    except (ValueError, TypeError, OverflowError, UnicodeEncodeError) as error:
        raise InputError(f"{what} must be an array, or lists of one length: {error!s:.80}") from error


def whole_numbers(what: str, values: Any, dtype: npt.DTypeLike = np.int64) -> np.ndarray:
    """Return values as an array of whole numbers, refusing what the type does not hold as it is.

    Raises
    ------
    InputError
        If a value has a fraction, is too large, or is no number; the message names `what`.
    """
    array = as_array(what, values)
    if array.dtype == dtype:
        return array
    bounds = np.iinfo(dtype)
    fits = array.dtype.kind in "iuf"
    if fits and array.size:
        # The float next below: that of the largest int64 itself is one too large.
        most = bounds.max if array.dtype.kind != "f" else np.nextafter(float(bounds.max), 0)
        fits = bool(array.min() >= bounds.min and array.max() <= most)
        fits = fits and (array.dtype.kind != "f" or bool((np.floor(array) == array).all()))
    if not fits:
        raise InputError(
            f"{what} must be whole numbers that {np.dtype(dtype)} holds; they are {array.dtype} and do not"
        )
    return array.astype(dtype)


def generator(rng: Any, argument: str = "rng") -> np.random.Generator:
    """Return the generator that an int, a SeedSequence or None stands for; one that is given is taken as it is.

    Raises
    ------
    InputError
        If it is anything else, or a negative number; the message names `argument`.
    """
    try:
        if not isinstance(rng, (bool, np.bool_)):
            return np.random.default_rng(rng)
    except (TypeError, ValueError):
        pass
    raise InputError(f"{argument} must be a whole number >= 0, a Generator, a SeedSequence or None, not {rng!r:.80}")
