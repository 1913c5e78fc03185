"""The ranks of the test labels of a set of images, from which every metric follows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Ranks(NamedTuple):
    """The ranks of the test labels of n images, each of which has at least one.

    Attributes
    ----------
    indptr : (n + 1,) int64
        Where each image's ranks begin.
    ranks : (n_pairs,) int64
        Rank of every test label among the image's candidates, 1 the best, strictly rising within an image. A label that
        scores the same as others stands behind those that are no test labels of the image.
    n_candidates : (n,) int64
        Number of labels ranked for each image: all but the excluded.
    n_labels : int
        Number of labels of the model.
    labels : (n_pairs,) int64
        The column of every test label, in the order of `ranks`; empty where nobody asks which labels these are.
    weights : (n_pairs,) float64
        What a hit of it weighs; empty where no metric asks.
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
        """The m of each rₘ: 1, 2, ... within every image, (n_pairs,) int64."""
        return np.arange(1, len(self.ranks) + 1) - np.repeat(self.indptr[:-1], self.n_test)

    def sum(self, values: np.ndarray) -> Floats:
        """Return the sum over each image's pairs of one value per pair, (n,) float64."""
        total: Floats = np.add.reduceat(values.astype(np.float64), self.indptr[:-1])
        return total

    def of_pairs(self) -> Ranks:
        """Return the ranks of every test label by itself, as if it were the only one of its image.

        The image's other test labels are no candidates then, so that the label's rank is ``rₘ − m + 1``: 1, and the
        number of candidates that are no test labels and score at least as high.
        """
        n_candidates = np.repeat(self.n_candidates - self.n_test + 1, self.n_test)
        starts = np.arange(len(self.ranks) + 1)
        return Ranks(starts, self.ranks - self.position + 1, n_candidates, self.n_labels, self.labels, self.weights)


def ranks_of(indptr: Integers, counts: Integers, n_labels: int) -> Integers:
    """Return the rising ranks of each image's test labels.

    Parameters
    ----------
    indptr : (n + 1,) int64
        Where each image's test labels begin; each image has one at least.
    counts : (n_pairs,) int64
        Of every test label, how many candidates score at least as high, itself included.
    n_labels : int
        Number of labels.

    Returns
    -------
    (n_pairs,) int64
        1, and how many candidates that are not test labels score at least as high, and how many of the test labels
        stand before it: a tie with a label that is no test label counts against the model, one among test labels does
        not.
    """
    n_test = np.diff(indptr)
    image = np.repeat(np.arange(len(n_test)) * (n_labels + 1), n_test)
    keys = np.sort(image + counts)
    # Test labels of equal counts have equal scores. The last of them knows how many test labels these counts hold.
    lasts = np.flatnonzero(np.append(keys[1:] != keys[:-1], True))
    last = np.repeat(lasts, np.diff(lasts, prepend=-1))
    return keys - image - (last - np.arange(len(keys)))


def ranked_order(indptr: Integers, counts: Integers, weights: Floats) -> Integers:
    """Return where the test labels of rising rank stand: ``counts[order]`` belong to what `ranks_of` returns.

    Parameters
    ----------
    indptr, counts : int64
        As for `ranks_of`.
    weights : (n_pairs,) float64
        What a hit weighs. Of an image's test labels that score the same, the one that weighs least comes first: as
        other ties do, these count against the model.

    Returns
    -------
    (n_pairs,) int64
        The order, image by image.
    """
    image = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    order: Integers = np.lexsort((weights, counts, image))
    return order
