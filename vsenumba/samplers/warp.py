"""The WARP sampler: draw uniformly until a label violates the margin (WSABIE; Weston, Bengio & Usunier 2011)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from vsenumba.errors import InputError
from vsenumba.kernels.dot import dot
from vsenumba.kernels.membership import contains
from vsenumba.kernels.random import next_below
from vsenumba.samplers.sampler import Sampler, draw


class WarpState(NamedTuple):
    """What `draw` needs: the number of labels, the bound on trials, and the margin."""

    n_labels: int
    max_trials: int
    margin: float


@dataclass(frozen=True, kw_only=True)
class WarpSampler(Sampler):
    """Draw labels uniformly, at most `max_trials` times, until one violates the margin: ``margin + s_n > s_p``.

    For a positive p let V be the set of labels that violate the margin and are not the image's own. A trial hits V
    with probability ``|V| / L`` (an own label that is drawn counts as a trial), so a search finds a violator with
    probability ``1 - (1 - |V| / L) ** max_trials``, and then each of V is equally likely. The law of an image is the
    mean over its own labels, which draws take in turn, weighted by these probabilities. Where none is found the pair
    is given up, as there is nothing to learn from. Without a positive (an image without labels) the first label that
    is drawn is returned.

    Parameters
    ----------
    max_trials : int, optional
        At most so many labels are tried per draw; by default as many as there are labels, as in WSABIE. (LightFM's
        default is 10.)
    margin : float
        The margin, in units of score.
    """

    max_trials: int | None = None
    margin: float = 1.0
    name: ClassVar[str] = "warp"

    def __post_init__(self) -> None:
        if self.max_trials is not None and (int(self.max_trials) != self.max_trials or self.max_trials < 1):
            raise InputError(f"max_trials must be a whole number of at least 1 or None, not {self.max_trials!r}")
        if not 0 <= self.margin < np.inf:
            raise InputError(f"margin must be finite and not negative, not {self.margin!r}")

    def state(self, label_counts: np.ndarray, n_factors: int, n_shards: int) -> WarpState:
        """Return the state; see `Sampler.state`."""
        return WarpState(len(label_counts), self._bound(len(label_counts)), float(self.margin))

    def _bound(self, n_labels: int) -> int:
        return n_labels if self.max_trials is None else int(self.max_trials)

    def _weights(self, image_factors: np.ndarray, label_factors: np.ndarray, own: Any) -> np.ndarray:
        n_labels = len(label_factors)
        bound = self._bound(n_labels)
        weights = np.ones((len(image_factors), n_labels))
        for i, image in enumerate(image_factors):
            mine = own.indices[own.indptr[i] : own.indptr[i + 1]]
            if len(mine) == 0:
                continue
            scores = np.array([dot(image, label_factors, a) for a in range(n_labels)], dtype=np.float64)
            weights[i] = 0
            for positive in mine:
                violators = scores + self.margin > scores[positive]
                violators[mine] = False
                if (size := violators.sum()) > 0:
                    weights[i, violators] += (1 - (1 - size / n_labels) ** bound) / size
        return weights


@draw.implement(WarpState)
def _draw(sampler, states, shard, image, labels, indices, begin, end, positive):
    score = np.float64(dot(image, labels, positive)) if positive >= 0 else -np.inf
    for trial in range(sampler.max_trials):
        label = next_below(states, shard, sampler.n_labels)
        if sampler.margin + dot(image, labels, label) > score and not contains(indices, begin, end, label):
            return label, trial + 1
    return np.int64(-1), sampler.max_trials
