"""Whether a set has anything to learn from: an image that is known by something, has a label, and lacks another."""

from __future__ import annotations

from collections.abc import Sequence

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.training.annotation.inputs import as_inputs


def why_nothing_can_be_learnt(data: AnnotationSet, inputs: str | Sequence[str]) -> str | None:
    """Return why no step can be made on a set, as a line for people; None where some can.

    Parameters
    ----------
    data : AnnotationSet
        The set.
    inputs : str or sequence of str
        What stands for an image, as in `ImageAnnotator`.

    Examples
    --------
    >>> why_nothing_can_be_learnt(AnnotationSet.from_lists([["cat", "animal"], ["animal"]]), "ids") is None
    True
    >>> why_nothing_can_be_learnt(AnnotationSet.from_lists([["cat"], ["dog"]]), "ids") is None
    True
    >>> why_nothing_can_be_learnt(AnnotationSet.from_lists([["cat"], ["dog"]]), "labels")
    "with inputs 'labels' an image is known by its other labels, and no image has two; try inputs 'ids'"
    """
    counts, least = data.labels_per_image, as_inputs(inputs).least_labels
    if not data.n_pairs:
        return "no image has a label; were tags given, and found?"
    lacks_some = counts < data.n_labels
    if not lacks_some.any():
        return "every image has every label, so that none is wrong for an image"
    if counts.max(initial=0) < least:
        return f"with inputs {inputs!r} an image is known by its other labels, and no image has two; try inputs 'ids'"
    if not ((counts >= least) & lacks_some).any():
        return "every image that has two labels has every label, so that none is wrong for it"
    return None
