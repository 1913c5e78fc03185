"""The training set of a model, for metrics that need the number of training images of a label."""

from __future__ import annotations

from typing import Any

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.errors import InputError


def training_set(model: Any, excluded: AnnotationSet | None, asked_by: str) -> AnnotationSet:
    """Return the pairs that a model was trained on, with the model's labels as columns.

    Parameters
    ----------
    model : Scorer
        The model. If it has an attribute ``seen_``, that is its training set. Otherwise `excluded` is used instead. The
        two can differ, for example for images that were added after training.
    excluded : AnnotationSet or None
        The pairs that are excluded from the rankings.
    asked_by : str
        Name of the metric or option that needs the counts, for the message.

    Returns
    -------
    AnnotationSet
        The training set.

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
            f"{asked_by} needs the number of training images of each label, which the model does not provide; pass the "
            "training set as exclude"
        )
    return model.align(excluded)
