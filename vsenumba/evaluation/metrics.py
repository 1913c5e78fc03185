"""The ranking metrics, as formulas of the ranks of an image's test labels.

For one image: T test labels have the ranks r₁ < … < r_T among its C candidates (all labels except the excluded).
Candidates are ranked by score. If a test label and another candidate have the same score, the test label ranks behind:
such a tie counts against the model. A tie among test labels does not. A new metric needs one function and one line in
`FAMILIES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from vsenumba.errors import InputError, unknown_name
from vsenumba.evaluation.ranks import Floats, Ranks


def precision(ranks: Ranks, k: int) -> Floats:
    """Return the share of hits among the top k: ``#{m : rₘ ≤ k} / k``."""
    return ranks.sum(ranks.ranks <= k) / k


def recall(ranks: Ranks, k: int) -> Floats:
    """Return the share of test labels among the top k: ``#{m : rₘ ≤ k} / T``."""
    return ranks.sum(ranks.ranks <= k) / ranks.n_test


def ndcg(ranks: Ranks, k: int) -> Floats:
    """Return the discounted hits, divided by their maximum.

    ``Σ_{m : rₘ ≤ k} 1/log₂(1 + rₘ) / Σ_{m ≤ min(k, T)} 1/log₂(1 + m)``.
    """
    k = min(k, ranks.n_labels)
    discounts = 1 / np.log2(np.arange(2, k + 2))
    gains = np.append(discounts, 0)[np.minimum(ranks.ranks, k + 1) - 1]
    return ranks.sum(gains) / np.cumsum(discounts)[np.minimum(k, ranks.n_test) - 1]


def average_precision(ranks: Ranks, k: int) -> Floats:
    """Return the mean precision at the hits in the top k.

    ``Σ_{m : rₘ ≤ k} (m / rₘ) / min(k, T)``, where min(k, T) is the largest possible number of hits.
    """
    return ranks.sum(_precisions(ranks, k)) / np.minimum(k, ranks.n_test)


def cut_average_precision(ranks: Ranks, k: int) -> Floats:
    """Return ``Σ_{m : rₘ ≤ k} (m / rₘ) / T``: as `average_precision`, but divided by T, as map_cut in trec_eval."""
    return ranks.sum(_precisions(ranks, k)) / ranks.n_test


def _precisions(ranks: Ranks, k: int) -> Floats:
    precisions: Floats = np.where(ranks.ranks <= k, ranks.position / ranks.ranks, 0)
    return precisions


def full_average_precision(ranks: Ranks) -> Floats:
    """Return the mean precision at the test labels, over the full ranking: ``Σₘ (m / rₘ) / T``. Its mean is MAP."""
    return average_precision(ranks, ranks.n_labels)


def reciprocal_rank(ranks: Ranks) -> Floats:
    """Return the reciprocal rank of the best-ranked test label: ``1 / r₁``. Its mean is MRR."""
    return 1 / ranks.best


def area_under_curve(ranks: Ranks) -> Floats:
    """Return the share of correctly ordered pairs of a test label and another candidate; a tie is not correct.

    ``1 − Σₘ (rₘ − m) / (T (C − T))``; NaN if all candidates are test labels.
    """
    n_pairs = ranks.n_test * (ranks.n_candidates - ranks.n_test)
    undefined: Floats = np.full(len(n_pairs), np.nan)
    return 1 - np.divide(ranks.sum(ranks.ranks - ranks.position), n_pairs, out=undefined, where=n_pairs > 0)


def propensity_precision(ranks: Ranks, k: int) -> Floats:
    """Return the weights of the hits, divided by the mean of their maximum over images.

    ``g / (Σᵢ bᵢ / n)``, where ``g = Σ_{m : rₘ ≤ k} wₘ`` is the image's gain, and ``b = Σ_{m ≤ min(k, T)} w₍ₘ₎`` is the
    largest possible gain of each of the n images. The weights w are
    `vsenumba.evaluation.propensity.inverse_propensities`, and w₍₁₎ ≥ w₍₂₎ ≥ … are those of the image's test labels. The
    mean over the images is therefore ``Σ g / Σ b``, the repository's PSP@k.
    """
    gained = ranks.sum(ranks.weights * (ranks.ranks <= k))
    best = ranks.sum(_weights_best_first(ranks) * (ranks.position <= k))
    return gained / best.mean()


def propensity_ndcg(ranks: Ranks, k: int) -> Floats:
    """Return the discounted weights of the hits, divided by the mean of their maximum over images.

    As `propensity_precision`, with ``g = Σ_{m : rₘ ≤ k} wₘ / log₂(1 + rₘ) / D`` and
    ``b = Σ_{m ≤ min(k, T)} w₍ₘ₎ / log₂(1 + m) / D``, where ``D = Σ_{m ≤ min(k, T)} 1 / log₂(1 + m)``. The mean over the
    images is the repository's PSnDCG@k.
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


# No model can have more labels.
_MOST_K = 2**31 - 1


class Family(NamedTuple):
    """A metric without its k.

    Attributes
    ----------
    per_image : callable or None
        Computes the metric of each image; None for coverage, which has no value per image.
    takes_k : bool
        Whether the name needs a k, as in ``"recall@5"``.
    weighs : bool
        Whether hits have weights. A weight depends only on the training count of the label, so such a metric is not
        defined for a single label.
    """

    per_image: Callable[..., Floats] | None
    takes_k: bool
    weighs: bool = False


# Coverage has no value per image. `evaluate` collects the labels of the top-k lists instead.
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
    """A metric with its k: ``"recall@5"`` is the family recall with k = 5."""

    name: str
    family: str
    k: int | None

    @property
    def weighs(self) -> bool:
        """Whether hits have weights that depend on the training counts of their labels."""
        return FAMILIES[self.family].weighs

    @property
    def is_of_pairs(self) -> bool:
        """Whether the metric is defined for a single pair of an image and a test label."""
        return not self.weighs and FAMILIES[self.family].per_image is not None

    def per_image(self, ranks: Ranks) -> Floats:
        """Return the metric of every image, (n,) float64; not for coverage."""
        function = FAMILIES[self.family].per_image
        assert function is not None  # noqa: S101  # for the type checker
        return function(ranks) if self.k is None else function(ranks, self.k)


def shown_metric(name: str) -> str:
    """Return a metric's name as people write it.

    Examples
    --------
    >>> shown_metric("mrr"), shown_metric("recall@5")
    ('MRR', 'recall@5')
    """
    return name if "@" in name else name.upper()


def parse_metric(name: str) -> Metric:
    """Return the metric with a given name.

    Parameters
    ----------
    name : str
        ``"precision@k"``, ``"recall@k"``, ``"ndcg@k"``, ``"ap@k"``, ``"map_cut@k"``, ``"psp@k"``, ``"psndcg@k"`` or
        ``"coverage@k"`` with a number for k; or ``"map"``, ``"mrr"`` or ``"auc"``.

    Returns
    -------
    Metric
        The metric.

    Raises
    ------
    UnknownNameError
        If there is no such metric.
    InputError
        If k is missing, is not a whole number from 1 to 2**31 - 1, or is given for a metric without k.

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
            raise InputError(f"metric {name!r} has no k; write {family!r}")
        return Metric(name, family, None)
    # Check the length first: Python does not convert text with thousands of digits.
    if not (k.isascii() and k.isdigit() and len(k) <= len(str(_MOST_K)) and 1 <= int(k) <= _MOST_K):
        found = f"not {k!r:.30}" if at else "and is missing"
        raise InputError(
            f"the k of metric {str(name)!r:.40} must be a whole number from 1 to {_MOST_K:,}, {found}: write "
            f"'{family}@5'"
        )
    return Metric(name, family, int(k))


def parse_metrics(names: Iterable[str]) -> list[Metric]:
    """Return the metrics with given names; see `parse_metric`."""
    if isinstance(names, str):
        raise InputError(f"metrics must be a sequence of names, not one string; write ({names!r},)")
    metrics = [parse_metric(name) for name in names]
    if not metrics:
        raise InputError("metrics is empty; name at least one, as in ('mrr',)")
    return metrics
