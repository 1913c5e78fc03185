"""What stands for an image: a row of its own, its other labels, or the sum of several such inputs."""

from __future__ import annotations

from collections.abc import Sequence

from vsenumba.errors import InputError
from vsenumba.registry import Family
from vsenumba.training.annotation.inputs.features import FeatureInputs
from vsenumba.training.annotation.inputs.ids import IdInputs
from vsenumba.training.annotation.inputs.kind import InputKind
from vsenumba.training.annotation.inputs.labels import LabelInputs
from vsenumba.training.annotation.inputs.sum import Inputs

_KINDS = Family("inputs", InputKind, (IdInputs, LabelInputs, FeatureInputs))  # type: ignore[type-abstract]  # names the family
INPUTS = _KINDS.members


def as_inputs(inputs: str | Sequence[str]) -> Inputs:
    """Return the inputs of a name, or the sum of those of several names, as ``("labels", "ids")`` or ``"labels+ids"``.

    Raises
    ------
    UnknownNameError
        If there are none of that name; the nearest names are suggested.
    InputError
        If it is neither a name nor several different ones.
    """
    if isinstance(inputs, str):
        inputs = [part.strip() for part in inputs.replace(",", "+").split("+")]
    if not isinstance(inputs, (tuple, list)):
        raise InputError(f'inputs must be a name, or several such as ("labels", "ids"), not {inputs!r}')
    return Inputs([_KINDS(name) for name in inputs])


__all__ = ["INPUTS", "FeatureInputs", "IdInputs", "InputKind", "Inputs", "LabelInputs", "as_inputs"]
