"""A model's parameters as JSON, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

import numpy as np

from vsenumba.errors import FileFormatError
from vsenumba.losses import LOSSES
from vsenumba.samplers import SAMPLERS
from vsenumba.training.optimisers import OPTIMISERS

_FAMILIES: dict[str, Mapping[str, Any]] = {"sampler": SAMPLERS, "loss": LOSSES, "optimiser": OPTIMISERS}


def to_json(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters with samplers, losses and optimisers as ``{"name": ..., <their own parameters>}``.

    A random state that is not a number is left out: the file has the entropy it stood for.
    """
    plain: dict[str, Any] = {}
    for name, value in parameters.items():
        if is_dataclass(value) and not isinstance(value, type):
            plain[name] = {"name": value.name, **asdict(value)}  # type: ignore[attr-defined]  # all members have one
        elif isinstance(value, (np.integer, np.floating)):
            plain[name] = value.item()
        elif name != "random_state" or isinstance(value, int):
            plain[name] = value
    return plain


def from_json(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `to_json` was given.

    Raises
    ------
    FileFormatError
        If a member or one of its parameters is not known.
    """
    restored = {}
    for name, value in parameters.items():
        if name in _FAMILIES and isinstance(value, Mapping):
            arguments = dict(value)
            member = _FAMILIES[name].get(arguments.pop("name", ""))
            try:
                value = member(**arguments)  # type: ignore[misc]  # None is caught below
            except TypeError as error:
                raise FileFormatError(
                    f"the model's {name} {value} is not known to this version; update with pip install -U vsenumba"
                ) from error
        restored[name] = value
    return restored
