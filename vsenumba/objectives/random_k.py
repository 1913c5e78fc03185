"""Cross-entropy against a constant number of negatives drawn at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vsenumba.objectives.cross_entropy import CrossEntropy
from vsenumba.objectives.negatives import Negatives


@dataclass(frozen=True, kw_only=True)
class RandomK(CrossEntropy):
    """AdOpt with negatives that are not chosen for being hard: ``negatives=RandomNegatives(k=...)``."""

    negatives: Negatives | str = "random"
    name: ClassVar[str] = "random-k"
