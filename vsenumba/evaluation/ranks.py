"""The ranks of test labels, from which all metrics are computed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Ranks(NamedTuple):
    """The ranks of the test labels of n images, each with at least one test label.

    Attributes
    ----------
    indptr : (n + 1,) int64
        Where each image's ranks begin.
    ranks : (n_pairs,) int64
        Rank of every test label among the image's candidates, strictly ascending within an image. The best rank is 1. A
        label ranks behind other candidates with the same score that are not test labels of the image.
    n_candidates : (n,) int64
        Number of labels ranked for each image: all except the excluded.
    n_labels : int
        Number of labels of the model.
    labels : (n_pairs,) int64
        Column of every test label, in the order of `ranks`; empty if not needed.
    weights : (n_pairs,) float64
        Weight of a hit of each test label; empty if not needed.
    """

    indptr: Integers
    ranks: Integers
    n_candidates: Integers
    n_labels: int
    labels: Integers = np.empty(0, np.int64)
    weights: Floats = np.empty(0)

    @property
    def n_test(self) -> Integers:
        """Number of test labels of each image, (n,) int64."""
        return self.indptr[1:] - self.indptr[:-1]

    @property
    def best(self) -> Integers:
        """Rank of each image's best-ranked test label, (n,) int64."""
        return self.ranks[self.indptr[:-1]]

    @property
    def position(self) -> Integers:
        """The index m of each rank rₘ: 1, 2, ... within every image, (n_pairs,) int64."""
        return np.arange(1, len(self.ranks) + 1) - np.repeat(self.indptr[:-1], self.n_test)

    def sum(self, values: np.ndarray) -> Floats:
        """Return the sum over each image's pairs of one value per pair, (n,) float64."""
        total: Floats = np.add.reduceat(values.astype(np.float64), self.indptr[:-1])
        return total

    def of_pairs(self) -> Ranks:
        """Return the ranks of every test label as if it were the only one of its image.

        The image's other test labels are then not candidates, so the rank is ``rₘ − m + 1``: 1 plus the number of
        candidates that are not test labels and score at least as high.
        """
        n_candidates = np.repeat(self.n_candidates - self.n_test + 1, self.n_test)
        starts = np.arange(len(self.ranks) + 1)
        return Ranks(starts, self.ranks - self.position + 1, n_candidates, self.n_labels, self.labels, self.weights)


def ranks_of(indptr: Integers, counts: Integers, n_labels: int) -> Integers:
    """Return the ascending ranks of each image's test labels.

    Parameters
    ----------
    indptr : (n + 1,) int64
        Where each image's test labels begin; each image has at least one.
    counts : (n_pairs,) int64
        For every test label, the number of candidates that score at least as high, including itself.
    n_labels : int
        Number of labels.

    Returns
    -------
    (n_pairs,) int64
        For each test label: 1, plus the number of other candidates that score at least as high, plus the number of test
        labels before it. A tie with a label that is not a test label counts against the model; a tie among test labels
        does not.
    """
    n_test = np.diff(indptr)
    image = np.repeat(np.arange(len(n_test)) * (n_labels + 1), n_test)
    keys = np.sort(image + counts)
    # Test labels with equal counts have equal scores. The position of the last one is the number of test labels that
    # are included in these counts.
    lasts = np.flatnonzero(np.append(keys[1:] != keys[:-1], True))
    last = np.repeat(lasts, np.diff(lasts, prepend=-1))
    return keys - image - (last - np.arange(len(keys)))


def ranked_order(indptr: Integers, counts: Integers, weights: Floats) -> Integers:
    """Return the order of the test labels by rank: ``counts[order]`` matches the result of `ranks_of`.

    Parameters
    ----------
    indptr, counts : int64
        As for `ranks_of`.
    weights : (n_pairs,) float64
        Weight of a hit. Among an image's test labels with the same score, the one with the smallest weight comes first,
        so that these ties count against the model too.

    Returns
    -------
    (n_pairs,) int64
        The order, image by image.
    """
    image = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    order: Integers = np.lexsort((weights, counts, image))
    return order
