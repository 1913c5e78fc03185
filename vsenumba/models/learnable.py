"""The reasons why a model cannot learn anything from a set."""

from __future__ import annotations

from collections.abc import Sequence

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.training.annotation.inputs import as_inputs


def why_nothing_can_be_learnt(data: AnnotationSet, inputs: str | Sequence[str]) -> str | None:
    """Return the reason why no training step is possible on a set, in one line; None if a step is possible.

    Parameters
    ----------
    data : AnnotationSet
        The set.
    inputs : str or sequence of str
        How an image is represented, as in `ImageAnnotator`.

    Examples
    --------
    >>> why_nothing_can_be_learnt(AnnotationSet.from_lists([["cat", "animal"], ["animal"]]), "ids") is None
    True
    >>> why_nothing_can_be_learnt(AnnotationSet.from_lists([["cat"], ["dog"]]), "ids") is None
    True
    >>> why_nothing_can_be_learnt(AnnotationSet.from_lists([["cat"], ["dog"]]), "labels")
    "with inputs 'labels' an image is represented by its other labels, and no image has two; try inputs 'ids'"
    """
    counts, least = data.labels_per_image, as_inputs(inputs).least_labels
    if not data.n_pairs:
        return "no image has a label; check that the tags were found"
    lacks_some = counts < data.n_labels
    if not lacks_some.any():
        return "every image has every label, so there are no negatives"
    if counts.max(initial=0) < least:
        return (
            f"with inputs {inputs!r} an image is represented by its other labels, and no image has two; try inputs "
            "'ids'"
        )
    if not ((counts >= least) & lacks_some).any():
        return "every image with two labels has every label, so there are no negatives"
    return None
