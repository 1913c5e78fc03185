"""Rules that select a query's negatives among the other items of a batch: all, the hardest, or a group."""

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
    """Base of the rules: select the items with the highest score, or the highest `preference`."""

    @abstractmethod
    def group_size(self, scores: np.ndarray) -> int:
        """Return the maximum number of negatives of a query, at least 1, for a batch's cosines."""

    def preference(self, scores: np.ndarray, excluded: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
        """Return numbers by which to select negatives, (N, N) float32; None to select by scores.

        Parameters
        ----------
        scores, excluded : (N, N) float32, (N, N) bool
            Scores with one row for each query, and the items that are not negatives.
        rng : Generator
            Random generator.
        """
        return None


@dataclass(frozen=True, kw_only=True)
class AllNegatives(Negatives):
    """Select every other item of the batch."""

    name: ClassVar[str] = "all"

    def group_size(self, scores: np.ndarray) -> int:
        """Return the batch size minus one."""
        return max(len(scores) - 1, 1)


@dataclass(frozen=True, kw_only=True)
class HardestNegative(Negatives):
    """Select the item with the highest score."""

    name: ClassVar[str] = "hardest"

    def group_size(self, scores: np.ndarray) -> int:
        """Return 1."""
        return 1


@dataclass(frozen=True, kw_only=True)
class AdaptiveNegatives(Negatives):
    """Select a group as in AdOpt: large as long as the space is neither aligned nor uniform, and one item in the end.

    The size is ``K = min(max(int(N cos((align + uniform)^1.25)) + 1, 1), N - 1)``. Here ``align`` is the mean cosine of
    the matching pairs. ``uniform`` is the mean of ``exp(-cosine)`` over all pairs, where the cosine of a matching pair
    counts as 0.

    A query's match is never one of its negatives. In the authors' code it can be: the code sets the match's score to 0
    before it selects the K highest, so the match is selected if fewer than K others score above 0.

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
        """Return the size K of the group."""
        n = len(scores)
        matching = np.diagonal(scores)
        powers = np.exp(-np.asarray(scores, np.float64))
        uniform = (powers.sum() - np.exp(-matching.astype(np.float64)).sum() + n) / n**2
        spread = max(float(matching.mean(dtype=np.float64) + uniform), 0.0)
        return max(min(max(int(n * math.cos(spread**1.25)) + 1, 1), n - 1), 1)


@dataclass(frozen=True, kw_only=True)
class CountedNegatives(Negatives):
    """Base of the rules that select `k` negatives for every query.

    Parameters
    ----------
    k : int, default 16
        Number of negatives, at least 1.
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
    """Select the `k` items with the highest scores.

    Parameters
    ----------
    k : int, default 16
        Number of negatives, at least 1.
    """

    name: ClassVar[str] = "constant"


@dataclass(frozen=True, kw_only=True)
class RandomNegatives(CountedNegatives):
    """Select `k` other items at random, without replacement.

    Parameters
    ----------
    k : int, default 16
        Number of negatives, at least 1.
    """

    name: ClassVar[str] = "random"

    def preference(self, scores: np.ndarray, excluded: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return random numbers; see `Negatives.preference`."""
        return rng.random(scores.shape, dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class MixedNegatives(CountedNegatives):
    """Select `k` items: a share with the highest scores, and the others at random without replacement.

    The random items are meant to keep the space from collapsing, which can happen with the hardest negatives alone.

    Parameters
    ----------
    k : int, default 16
        Number of negatives, at least 1.
    hardness : float, default 0.5
        Share of `k` with the highest scores, from 0 to 1; their number is rounded.
    """

    hardness: float = 0.5
    name: ClassVar[str] = "mixed"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_number(self.hardness) or not 0 <= self.hardness <= 1:
            raise InputError(f"hardness must be from 0 to 1, not {self.hardness!r}")

    def preference(self, scores: np.ndarray, excluded: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return random numbers, and larger numbers for the highest scores; see `Negatives.preference`."""
        drawn = rng.random(scores.shape, dtype=np.float32)
        hard = min(round(self.hardness * self.k), len(scores))
        falling = np.argsort(np.where(excluded, np.inf, -scores), axis=1, kind="stable")
        np.put_along_axis(drawn, falling[:, :hard], 2, axis=1)
        return drawn


@dataclass(frozen=True, kw_only=True)
class SemiHardNegatives(CountedNegatives):
    """Select the `k` items with the highest scores below the match's; if there are fewer, also the lowest above it.

    Parameters
    ----------
    k : int, default 1
        Number of negatives, at least 1.

    References
    ----------
    Schroff, Kalenichenko & Philbin, "FaceNet: A Unified Embedding for Face Recognition and Clustering", CVPR 2015.
    """

    k: int = 1
    name: ClassVar[str] = "semi-hard"

    def preference(self, scores: np.ndarray, excluded: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the scores below the match's; for others, numbers below any cosine, lowest for the highest score."""
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
