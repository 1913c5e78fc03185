"""The settings of a training on images and labels, which are the same for every device."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.errors import InputError
from vsenumba.losses import Loss
from vsenumba.samplers import Sampler
from vsenumba.training.annotation.inputs import Inputs
from vsenumba.training.optimisers import Optimiser

# The number of shards, the parts of a launch that can run in parallel. It is larger than the number of threads on most
# machines, and small enough that a shard has enough work.
N_SHARDS = 32

# Chosen among 0, .05, .1, .25 and .5 on the data set that ships with the package, with simulated absences. No share has
# a better MRR of held-out labels than 0. With ids, the MRR is lower by up to .0024 with .1, and by .02 with .5.
ABSENT_SHARE = 0.1


def check_negatives(loss: Loss, chosen: object, sampler: Sampler, n_negatives: object) -> None:
    """Check that a sampler and a number of negatives are compatible with a loss.

    Parameters
    ----------
    loss : Loss
        The loss to minimise.
    chosen : object
        The sampler that the user chose, or None.
    sampler : Sampler
        The sampler that is used.
    n_negatives : object
        The number of negatives per pair that the user chose, or None.

    Raises
    ------
    InputError
        If they are not compatible.
    """
    if loss.takes_all and not (chosen is None and n_negatives is None):
        raise InputError(
            "the loss compares with all labels at once and draws no negatives: leave out sampler and n_negatives, or "
            "set the loss's own n_negatives"
        )
    if loss.draws is not None and n_negatives is not None:
        raise InputError(
            f"the loss draws {loss.draws} negatives: leave out n_negatives={n_negatives!r} of the model, or set "
            "n_negatives of the loss"
        )
    if loss.draws is not None and not sampler.knows_probabilities:
        raise InputError(
            f"the loss needs the probability of every draw, which the sampler {sampler} does not provide: use "
            '"uniform", "popularity", or "adaptive" with n_candidates=1'
        )


@dataclass(frozen=True, kw_only=True)
class Task:
    """The pairs to learn from, and the settings of the training.

    Parameters
    ----------
    data : AnnotationSet
        The pairs. Its rows and columns are those of the tables.
    inputs : Inputs
        The representation of images.
    sampler : Sampler
        The source of negatives.
    loss : Loss
        The loss to minimise.
    optimiser : Optimiser
        The optimiser of the tables that are updated row by row.
    l2 : float
        The weight decay per step.
    n_negatives : int
        The number of negatives per pair.
    frozen_labels : bool
        Whether the label factors stay unchanged.
    absent_share : float
        The probability, from 0 to 1, that a negative is a verified absence, for an image that has such absences.
    n_shards : int
        The number of parts of a launch. Each part draws from its own random state.
    label_counts : (n_labels,) int64 array, optional
        The number of images of each label in the whole set, if `data` is only a part of it.
    """

    data: AnnotationSet
    inputs: Inputs
    sampler: Sampler
    loss: Loss
    optimiser: Optimiser
    l2: float
    n_negatives: int
    frozen_labels: bool = False
    absent_share: float = ABSENT_SHARE
    n_shards: int = N_SHARDS
    label_counts: np.ndarray | None = None

    @property
    def counts(self) -> np.ndarray:
        """The number of images of each label, (n_labels,) int64, for samplers."""
        return self.data.label_counts if self.label_counts is None else self.label_counts
