"""The ranking metrics: what each is, as a formula of the ranks of an image's test labels.

For one image: T test labels, at ranks r₁ < … < r_T among its C candidates (all labels but the excluded). Candidates are
ranked by score; where a test label and one that is none score the same, the test label stands behind: such a tie counts
against the model, one among test labels does not. A new metric is one function and one line in `FAMILIES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from vsenumba.errors import InputError, unknown_name
from vsenumba.evaluation.ranks import Floats, Ranks


def precision(ranks: Ranks, k: int) -> Floats:
    """Hits over k: ``#{m : rₘ ≤ k} / k``."""
    return ranks.sum(ranks.ranks <= k) / k


def recall(ranks: Ranks, k: int) -> Floats:
    """Hits over the number of test labels: ``#{m : rₘ ≤ k} / T``."""
    return ranks.sum(ranks.ranks <= k) / ranks.n_test


def ndcg(ranks: Ranks, k: int) -> Floats:
    """Discounted hits over the best possible.

    ``Σ_{m : rₘ ≤ k} 1/log₂(1 + rₘ) / Σ_{m ≤ min(k, T)} 1/log₂(1 + m)``.
    """
    k = min(k, ranks.n_labels)
    discounts = 1 / np.log2(np.arange(2, k + 2))
    gains = np.append(discounts, 0)[np.minimum(ranks.ranks, k + 1) - 1]
    return ranks.sum(gains) / np.cumsum(discounts)[np.minimum(k, ranks.n_test) - 1]


def average_precision(ranks: Ranks, k: int) -> Floats:
    """Mean precision at the hits in the top k, of the most there can be: ``Σ_{m : rₘ ≤ k} (m / rₘ) / min(k, T)``."""
    return ranks.sum(_precisions(ranks, k)) / np.minimum(k, ranks.n_test)


def cut_average_precision(ranks: Ranks, k: int) -> Floats:
    """As `average_precision`, of all test labels: ``Σ_{m : rₘ ≤ k} (m / rₘ) / T``, which is trec_eval's map_cut."""
    return ranks.sum(_precisions(ranks, k)) / ranks.n_test


def _precisions(ranks: Ranks, k: int) -> Floats:
    precisions: Floats = np.where(ranks.ranks <= k, ranks.position / ranks.ranks, 0)
    return precisions


def full_average_precision(ranks: Ranks) -> Floats:
    """Mean precision at the test labels, over the full ranking: ``Σₘ (m / rₘ) / T``; MAP is its mean."""
    return average_precision(ranks, ranks.n_labels)


def reciprocal_rank(ranks: Ranks) -> Floats:
    """Reciprocal rank of the best-ranked test label: ``1 / r₁``; MRR is its mean."""
    return 1 / ranks.best


def area_under_curve(ranks: Ranks) -> Floats:
    """Share of the pairs of a test label and a candidate that is none that are ordered right; a tie is not.

    ``1 − Σₘ (rₘ − m) / (T (C − T))``; NaN where all candidates are test labels.
    """
    n_pairs = ranks.n_test * (ranks.n_candidates - ranks.n_test)
    undefined: Floats = np.full(len(n_pairs), np.nan)
    return 1 - np.divide(ranks.sum(ranks.ranks - ranks.position), n_pairs, out=undefined, where=n_pairs > 0)


def propensity_precision(ranks: Ranks, k: int) -> Floats:
    """Weights of the hits, over the mean of the best an image can reach; the mean is the repository's PSP@k.

    ``g / (Σᵢ bᵢ / n)`` with the image's ``g = Σ_{m : rₘ ≤ k} wₘ`` and the best of each of the n images
    ``b = Σ_{m ≤ min(k, T)} w₍ₘ₎``, where w is `vsenumba.evaluation.propensity.inverse_propensities` and w₍₁₎ ≥ w₍₂₎ ≥ …
    are those of the image's test labels. So the mean over the images is ``Σ g / Σ b``.
    """
    gained = ranks.sum(ranks.weights * (ranks.ranks <= k))
    best = ranks.sum(_weights_best_first(ranks) * (ranks.position <= k))
    return gained / best.mean()


def propensity_ndcg(ranks: Ranks, k: int) -> Floats:
    """Weights of the hits, discounted, over the mean of the best an image can reach; the mean is PSnDCG@k.

    As `propensity_precision`, with ``g = Σ_{m : rₘ ≤ k} wₘ / log₂(1 + rₘ) / D`` and
    ``b = Σ_{m ≤ min(k, T)} w₍ₘ₎ / log₂(1 + m) / D``, where ``D = Σ_{m ≤ min(k, T)} 1 / log₂(1 + m)``.
    """
    reached, position = ranks.ranks <= k, ranks.position
    most = ranks.sum((position <= k) / np.log2(1 + position))
    gained = ranks.sum(ranks.weights * reached / np.log2(1 + ranks.ranks)) / most
    best = ranks.sum(_weights_best_first(ranks) * (position <= k) / np.log2(1 + position)) / most
    return gained / best.mean()


def _weights_best_first(ranks: Ranks) -> Floats:
    """Return the weights of each image's test labels, the largest first."""
    image = np.repeat(np.arange(len(ranks.n_test)), ranks.n_test)
    return ranks.weights[np.lexsort((-ranks.weights, image))]


# There can be no more labels.
_MOST_K = 2**31 - 1


class Family(NamedTuple):
    """A metric: its value per image, whether its name carries a k, as in ``"recall@5"``, and whether hits have weights.

    Weights are of a label and come from its training count, so that such a metric says nothing of one label.
    """

    per_image: Callable[..., Floats] | None
    takes_k: bool
    weighs: bool = False


# Coverage has no value per image: `evaluate` collects the labels of the top k lists.
FAMILIES = {
    "precision": Family(precision, takes_k=True),
    "recall": Family(recall, takes_k=True),
    "ndcg": Family(ndcg, takes_k=True),
    "ap": Family(average_precision, takes_k=True),
    "map_cut": Family(cut_average_precision, takes_k=True),
    "map": Family(full_average_precision, takes_k=False),
    "mrr": Family(reciprocal_rank, takes_k=False),
    "auc": Family(area_under_curve, takes_k=False),
    "psp": Family(propensity_precision, takes_k=True, weighs=True),
    "psndcg": Family(propensity_ndcg, takes_k=True, weighs=True),
    "coverage": Family(None, takes_k=True),
}


class Metric(NamedTuple):
    """A metric as it was asked for: ``"recall@5"`` is the family recall with k = 5."""

    name: str
    family: str
    k: int | None

    @property
    def weighs(self) -> bool:
        """Whether a hit weighs what the training count of its label says."""
        return FAMILIES[self.family].weighs

    @property
    def is_of_pairs(self) -> bool:
        """Whether it says something of a single pair of an image and a test label."""
        return not self.weighs and FAMILIES[self.family].per_image is not None

    def per_image(self, ranks: Ranks) -> Floats:
        """Return the metric of every image, (n,) float64; not for coverage."""
        function = FAMILIES[self.family].per_image
        assert function is not None  # noqa: S101  # for the type checker
        return function(ranks) if self.k is None else function(ranks, self.k)


def parse_metric(name: str) -> Metric:
    """Return the metric that a name stands for.

    Parameters
    ----------
    name : str
        ``"precision@k"``, ``"recall@k"``, ``"ndcg@k"``, ``"ap@k"``, ``"map_cut@k"``, ``"psp@k"``, ``"psndcg@k"`` or
        ``"coverage@k"`` with a number for k, or ``"map"``, ``"mrr"`` or ``"auc"``.

    Raises
    ------
    UnknownNameError
        If there is no such metric.
    InputError
        If the k is missing, not a whole number from 1 to 2**31 - 1, or there where none belongs.

    Examples
    --------
    >>> parse_metric("recall@5")
    Metric(name='recall@5', family='recall', k=5)
    """
    family, at, k = str(name).partition("@")
    if family not in FAMILIES:
        forms = [f"{known}@{k or 'k'}" if FAMILIES[known].takes_k else known for known in FAMILIES]
        raise unknown_name("metric", name, forms)
    if not FAMILIES[family].takes_k:
        if at:
            raise InputError(f"metric {name!r} takes no k: write {family!r}")
        return Metric(name, family, None)
    # By its length first: Python makes no number of thousands of digits.
    if not (k.isascii() and k.isdigit() and len(k) <= len(str(_MOST_K)) and 1 <= int(k) <= _MOST_K):
        found = f"not {k!r:.30}" if at else "and is missing"
        raise InputError(
            f"the k of metric {str(name)!r:.40} must be a whole number from 1 to {_MOST_K:,}, {found}: write "
            f"'{family}@5'"
        )
    return Metric(name, family, int(k))


def parse_metrics(names: Iterable[str]) -> list[Metric]:
    """Return the metrics that names stand for; see `parse_metric`."""
    if isinstance(names, str):
        raise InputError(f"metrics must be a sequence of names, not one string: write ({names!r},)")
    metrics = [parse_metric(name) for name in names]
    if not metrics:
        raise InputError("metrics is empty; name at least one, as in ('mrr',)")
    return metrics
