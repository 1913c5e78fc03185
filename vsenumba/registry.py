"""Registries: members found by name, or given as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from vsenumba.errors import InputError, unknown_name

T = TypeVar("T")


def member(kind: str, value: T | str, base: type[T], registry: Mapping[str, type[T]]) -> T:
    """Return `value` as it is, or the registered class of that name with its default parameters.

    Parameters
    ----------
    kind : str
        What it should be, for error messages: ``"sampler"``, ``"loss"``, ...
    value : str or instance of `base`
        What a user gave.
    base : type
        The class all members derive from.
    registry : mapping from str to type
        The members by name.

    Raises
    ------
    UnknownNameError
        If there is no member of that name; the nearest names are suggested.
    InputError
        If it is neither a name nor a member.
    """
    if isinstance(value, base):
        return value
    if not isinstance(value, str):
        raise InputError(f"{kind} must be a {kind} or a name, not {value!r}")
    if value not in registry:
        raise unknown_name(kind, value, registry)
    return registry[value]()
