"""A model's parameters as JSON, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from vsenumba.errors import FileFormatError
from vsenumba.losses import LOSSES
from vsenumba.objectives import NEGATIVES, OBJECTIVES, SemanticMargin
from vsenumba.poolings import POOLINGS
from vsenumba.samplers import SAMPLERS
from vsenumba.training.optimisers import OPTIMISERS
from vsenumba.training.retrieval.projections import PROJECTIONS

_FAMILIES: dict[str, Mapping[str, Any]] = {
    "sampler": SAMPLERS,
    "loss": LOSSES,
    "optimiser": OPTIMISERS,
    "image_projection": PROJECTIONS,
    "image_pooling": POOLINGS,
    "caption_pooling": POOLINGS,
    "objective": OBJECTIVES,
    "negatives": NEGATIVES,
    "margin": {SemanticMargin.name: SemanticMargin},
}


def to_json(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters with samplers, losses and the like as ``{"name": ..., <their own parameters>}``.

    A random state that is not a number is left out: the file has the entropy it stood for.
    """
    plain: dict[str, Any] = {}
    for name, value in parameters.items():
        if is_dataclass(value) and not isinstance(value, type):
            own = {field.name: getattr(value, field.name) for field in fields(value)}
            plain[name] = {"name": value.name, **to_json(own)}  # type: ignore[attr-defined]  # all members have one
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
            arguments = from_json(value)
            member = _FAMILIES[name].get(arguments.pop("name", ""))
            try:
                value = member(**arguments)  # type: ignore[misc]  # None is caught below
            except TypeError as error:
                raise FileFormatError(
                    f"the model's {name} {value} is not known to this version; update with pip install -U vsenumba"
                ) from error
        restored[name] = value
    return restored
