"""Selecting the part of a caption set that a command uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vsenumba.errors import InputError

if TYPE_CHECKING:
    from vsenumba.data import CaptionSet


def part_of(data: CaptionSet, name: str | None, usual: tuple[str, ...]) -> CaptionSet | None:
    """Return the part of a name, or the first of the `usual` parts that exists; None if there is none."""
    parts = [] if data.parts is None else data.parts.tolist()
    if name is not None and not parts:
        raise InputError(
            f"there is no part {name!r}: the data set has no parts; make some with 'vsenumba retrieval import --split'"
        )
    name = name or next((one for one in usual if one in parts), None)
    return None if name is None else data.part(name)
