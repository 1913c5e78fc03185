"""What a model was trained on, for metrics that ask how many images had a label."""

from __future__ import annotations

from typing import Any

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.errors import InputError


def training_set(model: Any, excluded: AnnotationSet | None, asked_by: str) -> AnnotationSet:
    """Return the pairs a model was trained on, with its label columns.

    Parameters
    ----------
    model : Scorer
        A model; its ``seen_`` is what it was trained on. For a model without one it is taken to be `excluded`: where
        the two differ, as for images that came later, what is excluded is not what the model learnt from.
    excluded : AnnotationSet or None
        What is excluded from the rankings.
    asked_by : str
        What asks, for the message.

    Raises
    ------
    InputError
        If there is neither.
    """
    seen = getattr(model, "seen_", None)
    if seen is not None:
        return seen
    if excluded is None:
        raise InputError(
            f"{asked_by} asks how many training images a label has, which the model does not say: give the training "
            "set as exclude"
        )
    return model.align(excluded)
