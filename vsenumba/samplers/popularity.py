"""The popularity sampler: draw labels in proportion to a power of their popularity, as in word2vec."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from vsenumba.checks import is_number
from vsenumba.errors import InputError
from vsenumba.kernels.membership import contains
from vsenumba.kernels.random import next_below, next_uniform
from vsenumba.samplers.sampler import MAX_REJECTIONS, Sampler, draw, trial_probability


class PopularityState(NamedTuple):
    """An alias table (Walker 1977) and its law: column a gives a with probability `keep[a]`, and else `alias[a]`."""

    keep: np.ndarray
    alias: np.ndarray
    law: np.ndarray


@dataclass(frozen=True, kw_only=True)
class PopularitySampler(Sampler):
    """Draw labels in proportion to a power of their popularity: ``p(a) ∝ n_a ** power``.

    n_a is the number of training images that have label a.

    Parameters
    ----------
    power : float, default 0.75
        From 0 to 4. 0 is uniform among labels that occur, 0.75 is the choice of word2vec.

    References
    ----------
    Mikolov et al., "Distributed Representations of Words and Phrases and their Compositionality", NIPS 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from vsenumba import PopularitySampler
    >>> PopularitySampler(power=1).law(np.ones((1, 1)), np.ones((3, 1)), label_counts=np.array([6, 3, 1]))
    array([[0.6, 0.3, 0.1]])
    """

    power: float = 0.75
    name: ClassVar[str] = "popularity"
    by_vector: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not (is_number(self.power) and 0 <= self.power <= 4):
            raise InputError(f"power must be from 0 to 4, not {self.power!r}")

    @property
    def knows_probabilities(self) -> bool:
        """Whether `trial_probability` is implemented: yes; see `Sampler.knows_probabilities`."""
        return True

    def state(self, label_counts: np.ndarray, n_factors: int, n_shards: int) -> PopularityState:
        """Return the state; see `Sampler.state`."""
        masses = self._masses(label_counts)
        return PopularityState(*alias_table(masses), masses / masses.sum())

    def _masses(self, counts: np.ndarray) -> np.ndarray:
        # 0 ** 0 is 1, but a label without images is never drawn, unless no label has any.
        masses = np.where(counts > 0, counts.astype(np.float64) ** self.power, 0.0)
        return masses if masses.any() else np.ones(len(counts))

    def _weights(
        self, image_factors: np.ndarray, label_factors: np.ndarray, own: Any, label_counts: np.ndarray
    ) -> np.ndarray:
        return np.tile(self._masses(label_counts), (len(image_factors), 1))


def alias_table(masses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return Walker's alias table of a distribution, built with Vose's method in linear time.

    Parameters
    ----------
    masses : (L,) float64
        Not negative and not all 0; they need not sum to 1.

    Returns
    -------
    keep : (L,) float64
        Probability of staying in a column after it was drawn uniformly.
    alias : (L,) int32
        The label to return otherwise.
    """
    n = len(masses)
    keep = masses * (n / masses.sum())
    alias = np.arange(n, dtype=np.int32)
    small = [int(a) for a in np.flatnonzero(keep < 1)]
    large = [int(a) for a in np.flatnonzero(keep >= 1)]
    while small and large:
        poor, rich = small.pop(), large[-1]
        alias[poor] = rich
        keep[rich] -= 1 - keep[poor]
        if keep[rich] < 1:
            small.append(large.pop())
    # Columns that remain because of rounding are 1 in exact arithmetic. A label of mass 0 never remains before others.
    keep[[a for a in small + large if masses[a] > 0]] = 1
    return keep, alias


@draw.implement(PopularityState)
def _draw(sampler, states, shard, image, labels, indices, begin, end, positive):
    for trial in range(MAX_REJECTIONS):
        column = next_below(states, shard, sampler.keep.shape[0])
        label = np.int64(sampler.alias[column])
        if next_uniform(states, shard) < sampler.keep[column]:
            label = column
        if not contains(indices, begin, end, label):
            return label, trial + 1
    return np.int64(-1), MAX_REJECTIONS


@trial_probability.implement(PopularityState)
def _trial_probability(sampler, image, label):
    return sampler.law[label]
