"""The pairs of a set whose labels a model knows; other pairs cannot be ranked."""

from __future__ import annotations

import warnings

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError, near_names

# Minimum likeness of an unknown name to a known one to suggest it: "cat" for "catt", but not "dog" for "fog".
_TYPO = 0.75


def with_known_labels(
    data: AnnotationSet, label_names: Vocabulary, argument: str, *, stacklevel: int = 3
) -> tuple[AnnotationSet, int]:
    """Return a set without the pairs whose label a model does not know, and the number of pairs left out.

    Parameters
    ----------
    data : AnnotationSet
        The set. If the model knows all of its labels, it is returned unchanged.
    label_names : Vocabulary
        The labels that the model knows. If pairs are left out, they are the columns of the result.
    argument : str
        Name of the set in messages.
    stacklevel : int, default 3
        As in `warnings.warn`. The default, 3, points at the caller of the function that calls this one.

    Returns
    -------
    data : AnnotationSet
        The set without the unknown labels.
    n_left_out : int
        Number of pairs left out.

    Raises
    ------
    InputError
        If the set has pairs, and the model knows none of their labels.

    Warns
    -----
    UserWarning
        If pairs are left out. The message states how many pairs and labels, and names two of the labels.
    """
    if data.label_names is label_names or data.label_names == label_names:
        return data, 0
    columns = label_names.find(data.label_names)
    unknown = np.flatnonzero((columns < 0) & (data.label_counts > 0))
    n_left_out = int(data.label_counts[unknown].sum())
    if n_left_out == 0:
        return data, 0
    examples = [_example(name, label_names) for name in data.label_names.take(unknown[:2])]
    labels = f"such as {' and '.join(examples)}" if len(unknown) > 2 else " and ".join(examples)
    if n_left_out == data.n_pairs:
        raise InputError(f"the model knows no label of {argument}: it has {labels}")
    warnings.warn(
        f"skipped {n_left_out:,} of {data.n_pairs:,} pair(s) in {argument}: the model does not know "
        f"{len(unknown):,} label(s), {labels}",
        UserWarning,
        stacklevel=stacklevel,
    )
    return data.with_pairs((columns >= 0)[data.indices]).with_columns(columns, label_names), n_left_out


def _example(name: str, label_names: Vocabulary) -> str:
    near = near_names(name, label_names, n=1, likeness=_TYPO)
    return f"{str(name)!r} (did you mean {near[0]!r}?)" if near else repr(str(name))
