"""Check that workers have the sampler, the loss and the other members of a model."""

from __future__ import annotations

from typing import Any

from vsenumba.errors import InputError
from vsenumba.registry import Family, Member


def check_members(members: dict[Family[Any], Member]) -> None:
    """Refuse members whose class is not part of the package, because workers cannot import it.

    Raises
    ------
    InputError
        If there is such a member; the message names it.
    """
    for family, member in members.items():
        if type(member) is not family.members.get(member.name):
            raise InputError(
                f"the {family.kind} {member} is of a class of your own, which workers do not have; run without a "
                f"client, or choose a {family.kind} of vsenumba"
            )
