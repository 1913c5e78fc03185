"""The interface that `evaluate` needs of a model."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.vocabulary import Vocabulary


class Scorer(Protocol):
    """A model that scores labels for images. Any object with these four members can be evaluated.

    With a client, the model also needs a method ``count_on_cluster(client, asked, n_threads)`` with the same result as
    `vsenumba.evaluation.blocks.count_blocks`.

    Attributes
    ----------
    label_names : Vocabulary
        Names of the labels that it scores, which are its label columns.
    """

    @property
    def label_names(self) -> Vocabulary:
        """Names of the labels that the model scores."""

    def align(self, data: AnnotationSet) -> AnnotationSet:
        """Return `data` with its label columns in the order of `label_names`, matched by name.

        Parameters
        ----------
        data : AnnotationSet
            The set.

        Returns
        -------
        AnnotationSet
            The same pairs, with the model's labels as columns.

        Raises
        ------
        UnknownNameError
            If `data` has a label that the model does not know.
        """

    def known_for(self, test: AnnotationSet, exclude: AnnotationSet | None) -> AnnotationSet:
        """Return the known labels of a test set's images, without their test labels.

        Parameters
        ----------
        test : AnnotationSet
            A set that `align` returned.
        exclude : AnnotationSet or None
            The known pairs, with its own rows and columns; None for the model's training set.

        Returns
        -------
        AnnotationSet
            One row for each image of `test`, in its order, and one column for each label of the model.
        """

    def score_block(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Return the scores of all labels for some images. Several threads call this at once.

        Parameters
        ----------
        known : AnnotationSet
            The result of `known_for`: the images, and the labels that may be used as inputs.
        rows : (b,) int64 array
            Rows of `known` to score.

        Returns
        -------
        (b, n_labels) float32 array
            A higher score means that the label fits the image better.
        """


class Counter(Protocol):
    """A counter of ranks on another device than the CPU.

    If a model has a method ``scores_on_device(known)``, its result scores on the model's device; None means the CPU.
    The result's method ``.counter(excluded)`` creates a counter. `excluded` contains the labels that are not ranked:
    where those of each row begin, int64, and their columns, int32.

    Attributes
    ----------
    images_at_once : int
        Number of images to count at once.
    """

    images_at_once: int

    def count(
        self, rows: np.ndarray, offsets: np.ndarray, labels: np.ndarray, counts: np.ndarray, status: np.ndarray
    ) -> None:
        """Count for the test labels of some images; see `vsenumba.evaluation.counting.count_at_least`."""
