"""Splits of an annotation set into training pairs and test pairs.

Both halves keep all images and all labels in the same order. Only the pairs are split.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from vsenumba.checks import RandomLike, generator
from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.coercion import as_annotation_set
from vsenumba.errors import InputError


def leave_one_out(data: Any, *, rng: RandomLike = None) -> tuple[AnnotationSet, AnnotationSet]:
    """Move one random label of every image that has at least two to the test set.

    Parameters
    ----------
    data : AnnotationSet, label lists, mapping or matrix
        What to split.
    rng : int, Generator, SeedSequence or None
        The same seed gives the same split.

    Returns
    -------
    train, test : AnnotationSet
        Both with all images and labels of `data`.

    Examples
    --------
    >>> data = AnnotationSet.from_lists([["cat", "animal"], ["dog"]])
    >>> train, test = leave_one_out(data, rng=0)
    >>> train.n_pairs, test.n_pairs
    (2, 1)
    """
    data = as_annotation_set(data, "data")
    return _divided(data, _one_pair_each(data, generator(rng), at_least=2))


def holdout(data: Any, fraction: float = 0.2, *, rng: RandomLike = None) -> tuple[AnnotationSet, AnnotationSet]:
    """Move a random share of the pairs to the test set; every image keeps at least one label.

    Parameters
    ----------
    data : AnnotationSet, label lists, mapping or matrix
        What to split.
    fraction : float
        The share of the pairs in the test set, above 0 and below 1.
    rng : int, Generator, SeedSequence or None
        The same seed gives the same split.

    Returns
    -------
    train, test : AnnotationSet
        Both with all images and labels of `data`.

    Raises
    ------
    InputError
        If `fraction` is out of range, or is so large that some images would keep no label.

    Examples
    --------
    >>> data = AnnotationSet.from_lists([["cat", "animal", "pet"], ["dog", "animal"]])
    >>> train, test = holdout(data, 0.4, rng=0)
    >>> train.n_pairs, test.n_pairs
    (3, 2)
    """
    data = as_annotation_set(data, "data")
    if not 0 < fraction < 1:
        raise InputError(f"fraction must lie between 0 and 1, not {fraction}")
    drawn = generator(rng)
    spare = np.flatnonzero(~_one_pair_each(data, drawn, at_least=1))
    n_test = round(fraction * data.n_pairs)
    if n_test > len(spare):
        raise InputError(
            f"fraction={fraction} needs {n_test:,} of {data.n_pairs:,} pairs, but only {len(spare):,} can be held out "
            "if every image keeps one label; use a smaller fraction"
        )
    chosen = np.zeros(data.n_pairs, dtype=bool)
    chosen[drawn.choice(spare, n_test, replace=False)] = True
    return _divided(data, chosen)


def kfold(data: Any, n_folds: int = 5, *, rng: RandomLike = None) -> Iterator[tuple[AnnotationSet, AnnotationSet]]:
    """Split the pairs at random into folds, each of which is the test set once.

    Parameters
    ----------
    data : AnnotationSet, label lists, mapping or matrix
        What to split.
    n_folds : int
        The number of folds, from two to the number of pairs.
    rng : int, Generator, SeedSequence or None
        The same seed gives the same folds.

    Returns
    -------
    iterator of (train, test)
        The training and test set of each fold. Every pair is in exactly one test set. A test set may have all labels of
        an image.

    Examples
    --------
    >>> data = AnnotationSet.from_lists([["cat", "animal"], ["dog", "animal"]])
    >>> [test.n_pairs for train, test in kfold(data, 2, rng=0)]
    [2, 2]
    """
    data = as_annotation_set(data, "data")
    if not 2 <= n_folds <= data.n_pairs:
        raise InputError(f"n_folds must lie between 2 and the number of pairs ({data.n_pairs:,}), not {n_folds}")
    fold = generator(rng).permutation(data.n_pairs) % n_folds
    return (_divided(data, fold == k) for k in range(n_folds))


def _one_pair_each(data: AnnotationSet, rng: np.random.Generator, at_least: int) -> np.ndarray:
    """Return a mask that selects one random pair of every image with at least `at_least` pairs."""
    rows = np.flatnonzero(data.labels_per_image >= at_least)
    chosen = np.zeros(data.n_pairs, dtype=bool)
    chosen[data.indptr[rows] + rng.integers(data.labels_per_image[rows])] = True
    return chosen


def _divided(data: AnnotationSet, for_test: np.ndarray) -> tuple[AnnotationSet, AnnotationSet]:
    return data.with_pairs(~for_test), data.with_pairs(for_test)
