"""The WARP sampler: draw uniformly until a label violates the margin (WSABIE; Weston, Bengio & Usunier 2011)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from vsenumba.checks import check_choice, is_number, is_whole
from vsenumba.errors import InputError
from vsenumba.kernels.dot import dot, dots
from vsenumba.kernels.membership import contains
from vsenumba.kernels.random import next_below
from vsenumba.samplers.sampler import Sampler, draw

# Trials for each label there is, at most: beyond them the chance that a violator is still missed is below 1e-27.
_TRIALS_PER_LABEL = 64

#: Which labels a search tries.
SEARCHES = ("random", "in order")


class WarpState(NamedTuple):
    """What `draw` needs: the number of labels, the bound on trials, the margin, whether labels are tried in order."""

    n_labels: int
    max_trials: int
    margin: float
    in_order: bool


@dataclass(frozen=True, kw_only=True)
class WarpSampler(Sampler):
    """Draw labels uniformly, at most `max_trials` times, until one violates the margin: ``margin + s_n > s_p``.

    For a positive p let V be the set of labels that violate the margin and are not the image's own. A trial hits V
    with probability ``|V| / L`` (an own label that is drawn counts as a trial), so a search finds a violator with
    probability ``1 - (1 - |V| / L) ** max_trials``, and then each of V is equally likely. The law of an image is the
    mean over its own labels, which draws take in turn, weighted by these probabilities. Where none is found the pair
    is given up, as there is nothing to learn from. Without a positive (an image without labels) the first label that
    is drawn is returned.

    The trials T, at least 1, go to the loss, which estimates the positive's rank as ``floor((L - 1) / T)`` (see
    `WarpLoss`). T is geometric with success ``q = |V| / L``, so the estimate's mean is near ``-|V| ln(q) / (1 - q)``
    if the search is not bounded: where |V| is small against L, several times |V|. WSABIE and LightFM have the same
    numerator; WSABIE draws among the L - 1 labels that are not the positive, while in LightFM, as here, an own label
    that is drawn is a trial.

    Parameters
    ----------
    max_trials : int or None
        At most so many labels are tried per draw; None for as many as there are labels, as in WSABIE. (LightFM's
        default is 10.) More than 64 times the number of labels count as that, by which every violator is found. A
        search without a bound takes thousands of trials for an update once a model is good, and a bounded one is
        better in the same time.
    margin : float
        The margin, in units of score.
    search : {"random", "in order"}
        Whether the labels tried are drawn, or are the first, the second and so on, as in the code of the authors of
        VSE-ens, which with ``max_trials=None`` finds the first violator there is. The law is then that label alone,
        for each positive.
    """

    max_trials: int | None = 30
    margin: float = 1.0
    search: str = "random"
    name: ClassVar[str] = "warp"

    def __post_init__(self) -> None:
        if self.max_trials is not None and not is_whole(self.max_trials):
            raise InputError(f"max_trials must be a whole number of at least 1 or None, not {self.max_trials!r}")
        if not (is_number(self.margin) and 0 <= self.margin < np.inf):
            raise InputError(f"margin must be finite and not negative, not {self.margin!r}")
        check_choice("search", self.search, SEARCHES)

    def state(self, label_counts: np.ndarray, n_factors: int, n_shards: int) -> WarpState:
        """Return the state; see `Sampler.state`."""
        n_labels = len(label_counts)
        return WarpState(n_labels, self._bound(n_labels), float(self.margin), self.search == "in order")

    def _bound(self, n_labels: int) -> int:
        bound = n_labels if self.max_trials is None else int(self.max_trials)
        return min(bound, n_labels if self.search == "in order" else _TRIALS_PER_LABEL * n_labels)

    def _skips(
        self, image_factors: np.ndarray, label_factors: np.ndarray, own: Any, label_counts: np.ndarray
    ) -> np.ndarray:
        found = self._weights(image_factors, label_factors, own, label_counts).sum(axis=1)
        counts = np.diff(own.indptr)
        return np.where(counts > 0, 1 - found / np.maximum(counts, 1), 0.0)

    def _weights(
        self, image_factors: np.ndarray, label_factors: np.ndarray, own: Any, label_counts: np.ndarray
    ) -> np.ndarray:
        """Return, summed over the image's own labels, the probability of finding each label."""
        n_labels = len(label_factors)
        bound = self._bound(n_labels)
        weights = np.ones((len(image_factors), n_labels))
        for i, image in enumerate(image_factors):
            mine = own.indices[own.indptr[i] : own.indptr[i + 1]]
            if len(mine) == 0:
                # Every label passes, and the first one tried is it.
                weights[i, 1:] = self.search == "random"
                continue
            scores = dots(image, label_factors)
            weights[i] = 0
            for positive in mine:
                violators = scores + self.margin > scores[positive]
                violators[mine] = False
                if self.search == "in order":
                    weights[i, np.flatnonzero(violators[:bound])[:1]] += 1
                elif (size := violators.sum()) > 0:
                    weights[i, violators] += (1 - (1 - size / n_labels) ** bound) / size
        return weights


@draw.implement(WarpState)
def _draw(sampler, states, shard, image, labels, indices, begin, end, positive):
    score = np.float64(dot(image, labels, positive)) if positive >= 0 else -np.inf
    for trial in range(sampler.max_trials):
        label = np.int64(trial) if sampler.in_order else next_below(states, shard, sampler.n_labels)
        # Added in float64, where the margin does not vanish beside a large score.
        reached = sampler.margin + np.float64(dot(image, labels, label))
        if reached > score and not contains(indices, begin, end, label):
            return label, trial + 1
    return np.int64(-1), sampler.max_trials
