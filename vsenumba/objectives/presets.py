"""The objectives by name: hinges or cross-entropy, with the margin and the negatives that a paper gives them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from vsenumba.objectives.cross_entropy import CrossEntropy
from vsenumba.objectives.hinges import Hinges
from vsenumba.objectives.margins import SemanticMargin
from vsenumba.objectives.negatives import Negatives


@dataclass(frozen=True, kw_only=True)
class SumOfHinges(Hinges):
    """Hinges over all negatives (Kiros et al. 2014); with a `SemanticMargin` it is the LSH of the LSEH paper."""

    name: ClassVar[str] = "sum-of-hinges"


@dataclass(frozen=True, kw_only=True)
class MaxOfHinges(Hinges):
    """The hinge of the hardest negative (Faghri et al., "VSE++", BMVC 2018), also called LMH.

    At the start all cosines may become equal, and the loss stays at ``2 N margin``: begin with all negatives.
    """

    negatives: Negatives | str = "hardest"
    name: ClassVar[str] = "max-of-hinges"


@dataclass(frozen=True, kw_only=True)
class AdOpt(CrossEntropy):
    """Cross-entropy against the K hardest negatives, K by alignment and uniformity (Zhang et al., EACL 2023).

    See `vsenumba.objectives.negatives.AdaptiveNegatives` for K.
    """

    negatives: Negatives | str = "adaptive"
    name: ClassVar[str] = "adopt"


@dataclass(frozen=True, kw_only=True)
class ConstantK(CrossEntropy):
    """AdOpt with a K that does not change: ``negatives=ConstantNegatives(k=...)``."""

    negatives: Negatives | str = "constant"
    name: ClassVar[str] = "constant-k"


@dataclass(frozen=True, kw_only=True)
class RandomK(CrossEntropy):
    """AdOpt with negatives that are not chosen for being hard: ``negatives=RandomNegatives(k=...)``."""

    negatives: Negatives | str = "random"
    name: ClassVar[str] = "random-k"


@dataclass(frozen=True, kw_only=True)
class InfoNCE(CrossEntropy):
    """Cross-entropy against all negatives, without a margin (van den Oord, Li & Vinyals 2018)."""

    margin: float | SemanticMargin = 0.0
    name: ClassVar[str] = "infonce"


@dataclass(frozen=True, kw_only=True)
class LSEH(Hinges):
    """The hinge of the hardest negative, with semantic margins (Gong & Cosma, Pattern Recognition 2023).

    ``negatives="adaptive"`` takes AdOpt's group instead of the hardest.
    """

    margin: float | SemanticMargin = field(default_factory=SemanticMargin)
    negatives: Negatives | str = "hardest"
    name: ClassVar[str] = "lseh"
