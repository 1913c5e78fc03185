"""AdOpt: cross-entropy against a group of negatives that shrinks as the space takes shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vsenumba.objectives.cross_entropy import CrossEntropy
from vsenumba.objectives.negatives import Negatives


@dataclass(frozen=True, kw_only=True)
class AdOpt(CrossEntropy):
    """Cross-entropy against the K hardest negatives, K by alignment and uniformity (Zhang et al., EACL 2023).

    See `vsenumba.objectives.negatives.AdaptiveNegatives` for K.
    """

    negatives: Negatives | str = "adaptive"
    name: ClassVar[str] = "adopt"
