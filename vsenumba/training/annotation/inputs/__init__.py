"""The representation of images: a row per image, the other labels, features, or a sum of these."""

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
    """Return the input with a name, or the sum of several.

    Parameters
    ----------
    inputs : str or sequence of str
        A name such as ``"ids"``, or several, as ``("labels", "ids")`` or ``"labels+ids"``.

    Returns
    -------
    Inputs

    Raises
    ------
    UnknownNameError
        If a name is unknown; the message suggests the nearest name.
    InputError
        If `inputs` is not a name or a sequence of different names.

    Examples
    --------
    >>> [part.name for part in as_inputs("labels+ids").parts]
    ['labels', 'ids']
    """
    if isinstance(inputs, str):
        inputs = [part.strip() for part in inputs.replace(",", "+").split("+")]
    if not isinstance(inputs, (tuple, list)):
        raise InputError(f'inputs must be a name, or several names such as ("labels", "ids"), not {inputs!r}')
    return Inputs([_KINDS(name) for name in inputs])


__all__ = ["INPUTS", "FeatureInputs", "IdInputs", "InputKind", "Inputs", "LabelInputs", "as_inputs"]
