"""Checks of parameters that several families share; what is refused is named by the caller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np

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
