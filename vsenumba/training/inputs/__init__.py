"""What stands for an image: a row of its own, or its other labels."""

from __future__ import annotations

from vsenumba.registry import member
from vsenumba.training.inputs.ids import IdInputs
from vsenumba.training.inputs.inputs import Inputs
from vsenumba.training.inputs.labels import LabelInputs

INPUTS: dict[str, type[Inputs]] = {inputs.name: inputs for inputs in (IdInputs, LabelInputs)}


def as_inputs(inputs: Inputs | str) -> Inputs:
    """Return the inputs of that name; see `registry.member`."""
    return member("inputs", inputs, Inputs, INPUTS)  # type: ignore[type-abstract]  # the base only names the family


__all__ = ["INPUTS", "IdInputs", "Inputs", "LabelInputs", "as_inputs"]
