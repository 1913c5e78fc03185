"""The uniform sampler: every label is equally likely, as in Opt-AUC and BPR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from vsenumba.kernels.membership import contains
from vsenumba.kernels.random import next_below
from vsenumba.samplers.sampler import MAX_REJECTIONS, Sampler, draw, trial_probability


class UniformState(NamedTuple):
    """The state: the number of labels."""

    n_labels: int


@dataclass(frozen=True, kw_only=True)
class UniformSampler(Sampler):
    """Draw every label with the same probability: ``p(a) = 1 / L``, for L labels.

    References
    ----------
    Rendle et al., "BPR: Bayesian Personalized Ranking from Implicit Feedback", UAI 2009.

    Examples
    --------
    >>> import numpy as np
    >>> from vsenumba import UniformSampler
    >>> UniformSampler().law(np.ones((1, 2)), np.ones((4, 2)), positives=[[0]]).round(3)
    array([[0.   , 0.333, 0.333, 0.333]])
    """

    name: ClassVar[str] = "uniform"
    by_vector: ClassVar[bool] = False

    @property
    def knows_probabilities(self) -> bool:
        """Whether `trial_probability` is implemented: yes; see `Sampler.knows_probabilities`."""
        return True

    def state(self, label_counts: np.ndarray, n_factors: int, n_shards: int) -> UniformState:
        """Return the state; see `Sampler.state`."""
        return UniformState(len(label_counts))

    def _weights(
        self, image_factors: np.ndarray, label_factors: np.ndarray, own: Any, label_counts: np.ndarray
    ) -> np.ndarray:
        return np.ones((len(image_factors), len(label_factors)))


@draw.implement(UniformState)
def _draw(sampler, states, shard, image, labels, indices, begin, end, positive):
    for trial in range(MAX_REJECTIONS):
        label = next_below(states, shard, sampler.n_labels)
        if not contains(indices, begin, end, label):
            return label, trial + 1
    return np.int64(-1), MAX_REJECTIONS


@trial_probability.implement(UniformState)
def _trial_probability(sampler, image, label):
    return 1.0 / sampler.n_labels
