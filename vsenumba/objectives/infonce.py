"""InfoNCE: cross-entropy against all other items of the batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vsenumba.objectives.cross_entropy import CrossEntropy
from vsenumba.objectives.margins import SemanticMargin


@dataclass(frozen=True, kw_only=True)
class InfoNce(CrossEntropy):
    """Cross-entropy against all negatives, without a margin (van den Oord, Li & Vinyals 2018)."""

    margin: float | SemanticMargin = 0.0
    name: ClassVar[str] = "infonce"
