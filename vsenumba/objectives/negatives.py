"""Which of a batch's non-matching items are a query's negatives: all, the hardest, or a group of so many."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vsenumba.checks import is_number, is_whole
from vsenumba.errors import InputError
from vsenumba.registry import Family, Member


@dataclass(frozen=True, kw_only=True)
class Negatives(Member, ABC):
    """Base of the rules: a query's negatives are the other items that score highest, or by what `preference` says."""

    @abstractmethod
    def group_size(self, scores: np.ndarray) -> int:
        """Return how many negatives a query has, at most, given the batch's cosines; at least 1."""

    def preference(self, scores: np.ndarray, excluded: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
        """Return by what negatives are chosen instead of by their scores, (N, N) float32; None for by these.

        Parameters
        ----------
        scores, excluded : (N, N) float32, (N, N) bool
            A row per query; which items are no negatives.
        rng : Generator
            For what is drawn.
        """
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

    A query's match is never one of its negatives. In the authors' code it can be: they take its score for 0 when they
    look for the K highest, so that it is among them where fewer than K others are above 0.

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
class CountedNegatives(Negatives):
    """Base of the rules by which every query has `k` negatives.

    Parameters
    ----------
    k : int
        At least 1.
    """

    k: int = 16

    def __post_init__(self) -> None:
        if not is_whole(self.k):
            raise InputError(f"k must be a whole number of at least 1, not {self.k!r}")

    def group_size(self, scores: np.ndarray) -> int:
        """Return `k`."""
        return int(self.k)


@dataclass(frozen=True, kw_only=True)
class ConstantNegatives(CountedNegatives):
    """The `k` items that score highest."""

    name: ClassVar[str] = "constant"


@dataclass(frozen=True, kw_only=True)
class RandomNegatives(CountedNegatives):
    """`k` of the other items, drawn evenly without repeats."""

    name: ClassVar[str] = "random"

    def preference(self, scores: np.ndarray, excluded: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return random numbers."""
        return rng.random(scores.shape, dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class MixedNegatives(CountedNegatives):
    """`k` items, a share of them those that score highest, the others drawn evenly without repeats.

    Random ones are meant to keep the space from collapsing, as it may with the hardest alone.

    Parameters
    ----------
    k : int
        At least 1.
    hardness : float
        The share of the highest, from 0 to 1; of `k` times it the nearest whole number.
    """

    hardness: float = 0.5
    name: ClassVar[str] = "mixed"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_number(self.hardness) or not 0 <= self.hardness <= 1:
            raise InputError(f"hardness must lie between 0 and 1, not {self.hardness!r}")

    def preference(self, scores: np.ndarray, excluded: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return random numbers, and higher ones for the highest scores."""
        drawn = rng.random(scores.shape, dtype=np.float32)
        hard = min(round(self.hardness * self.k), len(scores))
        falling = np.argsort(np.where(excluded, np.inf, -scores), axis=1, kind="stable")
        np.put_along_axis(drawn, falling[:, :hard], 2, axis=1)
        return drawn


@dataclass(frozen=True, kw_only=True)
class SemiHardNegatives(CountedNegatives):
    """The `k` items that score highest of those below the match; where there are fewer, also the lowest above it.

    Parameters
    ----------
    k : int
        At least 1.

    References
    ----------
    Schroff, Kalenichenko & Philbin, "FaceNet: A Unified Embedding for Face Recognition and Clustering", CVPR 2015.
    """

    k: int = 1
    name: ClassVar[str] = "semi-hard"

    def preference(self, scores: np.ndarray, excluded: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the scores below the match, and less than any cosine for the others, the least for the highest."""
        return np.where(scores < np.diagonal(scores)[:, None], scores, np.float32(-4) - scores)


as_negatives = Family(
    "negatives",
    Negatives,  # type: ignore[type-abstract]  # the base only names the family
    (
        AllNegatives,
        HardestNegative,
        AdaptiveNegatives,
        ConstantNegatives,
        RandomNegatives,
        MixedNegatives,
        SemiHardNegatives,
    ),
)
NEGATIVES = as_negatives.members
