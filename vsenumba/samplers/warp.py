"""The WARP sampler: draw labels uniformly until one violates the margin (WSABIE; Weston, Bengio & Usunier 2011)."""

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

# Maximum number of trials per label of the set. The probability of missing a violator is then below 1e-27.
_TRIALS_PER_LABEL = 64

#: Order in which a search tries labels.
SEARCHES = ("random", "in order")


class WarpState(NamedTuple):
    """The state: the number of labels, the maximum number of trials, the margin, and the order of trials."""

    n_labels: int
    max_trials: int
    margin: float
    in_order: bool


@dataclass(frozen=True, kw_only=True)
class WarpSampler(Sampler):
    """Draw labels uniformly until one violates the margin, ``margin + s_n > s_p``, at most `max_trials` times.

    For a positive p, let V be the set of labels that violate the margin and that the image does not have. A trial finds
    a label of V with probability ``|V| / L``; drawing a known label counts as a trial. A search therefore finds a label
    with probability ``1 - (1 - |V| / L) ** max_trials``, and each label of V is then equally likely. The law of an
    image is the mean over its known labels, weighted by these probabilities, because draws use the known labels in
    turn.

    If the search finds no violator, the pair is skipped, since there is nothing to learn from it. Without a positive,
    for an image without labels, the first drawn label is returned.

    The loss uses the number of trials T, at least 1, to estimate the positive's rank as ``floor((L - 1) / T)`` (see
    `WarpLoss`). T has a geometric distribution with success probability ``q = |V| / L``. For an unbounded search, the
    mean of the estimate is near ``-|V| ln(q) / (1 - q)``: several times ``|V|`` if ``|V|`` is small compared with L.
    WSABIE and LightFM use the same numerator. WSABIE draws among the L - 1 labels other than the positive. In LightFM,
    as here, drawing a known label counts as a trial.

    Parameters
    ----------
    max_trials : int or None, default 30
        Maximum number of labels to try per draw, at least 1. None means the number of labels, as in WSABIE. (LightFM's
        default is 10.) Values above 64 times the number of labels have the same effect as this limit, with which every
        violator is found. Without a bound, a good model needs thousands of trials for an update; a bounded search is
        more accurate in the same time.
    margin : float, default 1.0
        The margin, in units of score, at least 0.
    search : {"random", "in order"}, default "random"
        Whether labels are tried at random, or in their order as in the code of the authors of VSE-ens. In order and
        with ``max_trials=None``, the draw is the first violator, with probability 1.

    References
    ----------
    Weston, Bengio & Usunier, "WSABIE: Scaling Up to Large Vocabulary Image Annotation", IJCAI 2011.

    Examples
    --------
    >>> import numpy as np
    >>> from vsenumba import WarpSampler
    >>> WarpSampler().law(np.ones((1, 1)), np.array([[2.0], [1.5], [-3.0]]), [[0]])
    array([[0., 1., 0.]])
    """

    max_trials: int | None = 30
    margin: float = 1.0
    search: str = "random"
    name: ClassVar[str] = "warp"

    def __post_init__(self) -> None:
        if self.max_trials is not None and not is_whole(self.max_trials):
            raise InputError(f"max_trials must be a whole number of at least 1 or None, not {self.max_trials!r}")
        if not (is_number(self.margin) and 0 <= self.margin < np.inf):
            raise InputError(f"margin must be finite and at least 0, not {self.margin!r}")
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
        """Return the probability of finding each label, summed over the image's known labels."""
        n_labels = len(label_factors)
        bound = self._bound(n_labels)
        weights = np.ones((len(image_factors), n_labels))
        for i, image in enumerate(image_factors):
            mine = own.indices[own.indptr[i] : own.indptr[i + 1]]
            if len(mine) == 0:
                # Every label passes, so the first one tried is returned.
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
        # Add in float64, so that a small margin is not lost next to a large score.
        reached = sampler.margin + np.float64(dot(image, labels, label))
        if reached > score and not contains(indices, begin, end, label):
            return label, trial + 1
    return np.int64(-1), sampler.max_trials
