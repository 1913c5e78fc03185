"""Which samplers, losses and the like workers have: those of the package."""

from __future__ import annotations

from typing import Any

from vsenumba.errors import InputError
from vsenumba.registry import Family, Member


def check_members(members: dict[Family[Any], Member]) -> None:
    """Refuse members of classes of one's own, which workers do not have.

    Raises
    ------
    InputError
        If there is one; it is named.
    """
    for family, member in members.items():
        if type(member) is not family.members.get(member.name):
            raise InputError(
                f"the {family.kind} {member} is of a class of your own, which workers do not have; work without a "
                "client, or take another"
            )
