"""What is trained, and with what: the same on every device."""

from __future__ import annotations

from dataclasses import dataclass

from vsenumba.data.annotation.annotation_set import AnnotationSet
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
