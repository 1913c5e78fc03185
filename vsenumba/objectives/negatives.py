"""Which of a batch's non-matching items are a query's negatives: all, the hardest, or a group of so many."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vsenumba.checks import is_whole
from vsenumba.errors import InputError
from vsenumba.registry import member


@dataclass(frozen=True, kw_only=True)
class Negatives(ABC):
    """Base of the rules. A query's negatives are those of the other items that score highest, its margin added."""

    name: ClassVar[str]

    @abstractmethod
    def group_size(self, scores: np.ndarray) -> int:
        """Return how many negatives a query has, at most, given the batch's cosines; at least 1."""

    def preference(self, scores: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
        """Return by what negatives are chosen instead of by their scores, (N, N) float32; None for by these."""
        return None


@dataclass(frozen=True, kw_only=True)
class AllNegatives(Negatives):
    """Every other item of the batch."""

    name: ClassVar[str] = "all"

    def group_size(self, scores: np.ndarray) -> int:
        """Return the batch less one."""
        return max(len(scores) - 1, 1)


@dataclass(frozen=True, kw_only=True)
class HardestNegative(Negatives):
    """The one item that scores highest."""

    name: ClassVar[str] = "hardest"

    def group_size(self, scores: np.ndarray) -> int:
        """Return 1."""
        return 1


@dataclass(frozen=True, kw_only=True)
class AdaptiveNegatives(Negatives):
    """AdOpt's group: large while the space is not yet aligned and uniform, one item in the end.

    ``K = min(max(int(N cos((align + uniform)^1.25)) + 1, 1), N - 1)`` with ``align`` the mean cosine of the matching
    pairs, and ``uniform`` the mean over all pairs of ``exp(-cosine)``, where that of a matching pair counts as 0.

    References
    ----------
    Zhang et al., "Improving Visual-Semantic Embedding with Adaptive Pooling and Optimization Objective", EACL 2023.

    Examples
    --------
    >>> import numpy as np
    >>> AdaptiveNegatives().group_size(np.zeros((128, 128)))
    70
    """

    name: ClassVar[str] = "adaptive"

    def group_size(self, scores: np.ndarray) -> int:
        """Return K."""
        n = len(scores)
        matching = np.diagonal(scores)
        powers = np.exp(-np.asarray(scores, np.float64))
        uniform = (powers.sum() - np.exp(-matching.astype(np.float64)).sum() + n) / n**2
        spread = max(float(matching.mean(dtype=np.float64) + uniform), 0.0)
        return max(min(max(int(n * math.cos(spread**1.25)) + 1, 1), n - 1), 1)


@dataclass(frozen=True, kw_only=True)
class ConstantNegatives(Negatives):
    """The `k` items that score highest.

    Parameters
    ----------
    k : int
        At least 1.
    """

    k: int = 16
    name: ClassVar[str] = "constant"

    def __post_init__(self) -> None:
        check_group(self.k)

    def group_size(self, scores: np.ndarray) -> int:
        """Return `k`."""
        return int(self.k)


@dataclass(frozen=True, kw_only=True)
class RandomNegatives(Negatives):
    """`k` of the other items, drawn evenly without repeats.

    Parameters
    ----------
    k : int
        At least 1.
    """

    k: int = 16
    name: ClassVar[str] = "random"

    def __post_init__(self) -> None:
        check_group(self.k)

    def group_size(self, scores: np.ndarray) -> int:
        """Return `k`."""
        return int(self.k)

    def preference(self, scores: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return random numbers."""
        return rng.random(scores.shape, dtype=np.float32)


def check_group(k: object) -> None:
    """Refuse a size that is not a whole number of at least 1."""
    if not is_whole(k):
        raise InputError(f"k must be a whole number of at least 1, not {k!r}")


NEGATIVES: dict[str, type[Negatives]] = {
    rule.name: rule for rule in (AllNegatives, HardestNegative, AdaptiveNegatives, ConstantNegatives, RandomNegatives)
}


def as_negatives(negatives: Negatives | str) -> Negatives:
    """Return a rule as it is, or the one of that name with its default parameters; see `registry.member`."""
    return member("negatives", negatives, Negatives, NEGATIVES)  # type: ignore[type-abstract]  # names the family
