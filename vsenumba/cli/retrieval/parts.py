"""The part of a caption set that a command works on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vsenumba.errors import InputError

if TYPE_CHECKING:
    from vsenumba.data import CaptionSet


def part_of(data: CaptionSet, name: str | None, usual: tuple[str, ...]) -> CaptionSet | None:
    """Return a part by its name, or the first of the usual ones that there is; None where a set has no parts."""
    parts = [] if data.parts is None else data.parts.tolist()
    if name is not None and not parts:
        raise InputError(f"the set has no parts, so none is called {name!r}; divide it with import --split")
    name = name or next((one for one in usual if one in parts), None)
    return None if name is None else data.part(name)
