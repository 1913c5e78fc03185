"""Checks of parameters that several families share; what is refused is named by the caller."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from vsenumba.errors import InputError, unknown_name

RandomLike = int | np.integer | np.random.Generator | np.random.RandomState | np.random.SeedSequence | None

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


def seed_sequence(rng: RandomLike, argument: str = "rng") -> np.random.SeedSequence:
    """Return the seed sequence that an int, a Generator, a SeedSequence, a legacy RandomState or None stands for.

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
    """Return the generator that `rng` is or stands for; for what there is, see `seed_sequence`."""
    return rng if isinstance(rng, np.random.Generator) else np.random.default_rng(seed_sequence(rng))
