"""What is trained, and with what: the same on every device."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.errors import InputError
from vsenumba.losses import Loss
from vsenumba.samplers import Sampler
from vsenumba.training.annotation.inputs import Inputs
from vsenumba.training.optimisers import Optimiser

# An epoch's work is cut into so many shards: more than any thread count of the machines this is meant for, few enough
# that a shard's work outweighs its start.
N_SHARDS = 32

# Chosen among 0, .05, .1, .25 and .5 on the set that ships, with absences made up: no share is better than 0 in MRR of
# held-out labels; ids lose up to .0024 here and .02 at a half.
ABSENT_SHARE = 0.1


def check_negatives(loss: Loss, chosen: object, sampler: Sampler, n_negatives: object) -> None:
    """Refuse a sampler, or a number of negatives a pair, that does not go with a loss.

    Parameters
    ----------
    loss : Loss
        Loss to minimise.
    chosen : object
        What the user chose as a sampler; None for nothing.
    sampler : Sampler
        The sampler that this comes to.
    n_negatives : object
        What the user chose as a number of negatives a pair; None for nothing.
    """
    if loss.takes_all and not (chosen is None and n_negatives is None):
        raise InputError(
            "the loss compares with all labels at once and draws none: leave out sampler and n_negatives, or set the "
            "loss's own n_negatives"
        )
    if loss.draws is not None and n_negatives is not None:
        raise InputError(
            f"the loss says how many negatives are drawn, {loss.draws}: leave out n_negatives={n_negatives!r} of the "
            "model, or set it in the loss"
        )
    if loss.draws is not None and not sampler.knows_probabilities:
        raise InputError(
            f"the loss needs the probability of every draw, which the sampler {sampler} does not know: take "
            '"uniform", "popularity", or "adaptive" with n_candidates=1'
        )


@dataclass(frozen=True, kw_only=True)
class Task:
    """Pairs to learn from, and how to learn from them.

    Parameters
    ----------
    data : AnnotationSet
        The pairs; rows and columns are those of the tables.
    inputs, sampler, loss, optimiser
        What to train with.
    l2 : float
        Weight decay per step.
    n_negatives : int
        Negatives per pair.
    frozen_labels : bool
        Whether the label factors stay as they are.
    absent_share : float
        How often a negative of an image that has verified absences is one of these, from 0 to 1.
    n_shards : int
        Parts of a launch, each of which draws from a random state of its own.
    label_counts : (n_labels,) int64 array, optional
        How many images have each label, where `data` is a part of a set, in the whole of it.
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
        """How many images have each label, (n_labels,) int64: what samplers go by."""
        return self.data.label_counts if self.label_counts is None else self.label_counts
