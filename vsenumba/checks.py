"""Checks of parameters that several families share; what is refused is named by the caller."""

from __future__ import annotations

from collections.abc import Iterable

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


def refuse_masked(name: str, array: object) -> None:
    """Refuse a masked array: what is masked in it would be taken for what is there."""
    if isinstance(array, np.ma.MaskedArray):
        raise InputError(f"{name} is a masked array, whose mask would be lost; give {name}.filled(...) or what is left")


def check_choice(parameter: str, value: object, choices: Iterable[str]) -> None:
    """Refuse a value that is not one of the choices a parameter has; the nearest are suggested."""
    known = list(choices)
    if not isinstance(value, str) or value not in known:
        raise unknown_name(parameter, value, known)
