"""What `evaluate` asks of a model."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.vocabulary import Vocabulary


class Scorer(Protocol):
    """A model that scores labels for images; anything that offers these four can be evaluated.

    With a client the model must also have a method ``count_on_cluster(client, asked, n_threads)``, which counts as
    `vsenumba.evaluation.blocks.count_blocks` does.

    Attributes
    ----------
    label_names : Vocabulary
        The names of the labels it scores: its label columns.
    """

    @property
    def label_names(self) -> Vocabulary:
        """The names of the labels the model scores."""

    def align(self, data: AnnotationSet) -> AnnotationSet:
        """Return `data` with its label columns in the order of `label_names`, matched by name.

        Raises
        ------
        UnknownNameError
            If `data` has a label that the model does not know.
        """

    def known_for(self, test: AnnotationSet, exclude: AnnotationSet | None) -> AnnotationSet:
        """Return what is known about the images of an aligned test set before their test labels are revealed.

        Parameters
        ----------
        test : AnnotationSet
            What `align` returned.
        exclude : AnnotationSet or None
            The known pairs, with rows and columns of its own; None for what the model was trained on.

        Returns
        -------
        AnnotationSet
            One row per image of `test`, in its order, and one column per label of the model.
        """

    def score_block(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Return the scores of all labels for some images; called from several threads at once.

        Parameters
        ----------
        known : AnnotationSet
            What `known_for` returned: the images to score, and the labels that may be used as inputs.
        rows : (b,) int64 array
            Rows of `known`.

        Returns
        -------
        (b, n_labels) float32 array
            A higher score says that the label fits the image better.
        """


class Counter(Protocol):
    """Where ranks are counted, if not on the processor.

    A model that has a method ``scores_on_device(known)`` is asked for what scores there; None stands for the processor.
    Of it a counter is made, ``.counter(excluded)``, by the labels that are not ranked: where those of every row begin,
    int64, and their columns, int32.

    Attributes
    ----------
    images_at_once : int
        For how many images at a time it counts.
    """

    images_at_once: int

    def count(
        self, rows: np.ndarray, offsets: np.ndarray, labels: np.ndarray, counts: np.ndarray, status: np.ndarray
    ) -> None:
        """Count for the test labels of some images; see `vsenumba.evaluation.counting.count_at_least`."""
