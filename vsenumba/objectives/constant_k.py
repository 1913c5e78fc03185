"""Cross-entropy against a constant number of the hardest negatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vsenumba.objectives.cross_entropy import CrossEntropy
from vsenumba.objectives.negatives import Negatives


@dataclass(frozen=True, kw_only=True)
class ConstantK(CrossEntropy):
    """AdOpt with a K that does not change: ``negatives=ConstantNegatives(k=...)``."""

    negatives: Negatives | str = "constant"
    name: ClassVar[str] = "constant-k"
