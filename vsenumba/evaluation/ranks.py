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
    """

    indptr: Integers
    ranks: Integers
    n_candidates: Integers
    n_labels: int

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
