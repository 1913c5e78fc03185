"""Folders with several sets: choose the one to read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vsenumba.errors import InputError, unknown_name


def chosen_part(path: Path, parts: Iterable[str], wanted: str | None) -> str:
    """Return the requested part, or the only one.

    Raises
    ------
    InputError
        If there are several parts, and none is requested.
    UnknownNameError
        If there is no part of that name.

    Examples
    --------
    >>> chosen_part(Path("folder"), ["train"], None)
    'train'
    """
    names = list(parts)
    if wanted is not None:
        if wanted not in names:
            raise unknown_name("part", wanted, names)
        return wanted
    if len(names) != 1:
        raise InputError(
            f"{path} has the parts {', '.join(names)}; choose one with --part {names[0]} (in Python part={names[0]!r})"
        )
    return names[0]
