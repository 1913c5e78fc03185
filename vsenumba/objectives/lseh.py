"""LSEH: the maximum of hinges with margins that follow what captions are about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from vsenumba.objectives.hinges import Hinges
from vsenumba.objectives.margins import SemanticMargin
from vsenumba.objectives.negatives import Negatives


@dataclass(frozen=True, kw_only=True)
class Lseh(Hinges):
    """The hinge of the hardest negative, with semantic margins (Gong & Cosma, Pattern Recognition 2023).

    ``negatives="adaptive"`` takes AdOpt's group instead of the hardest.
    """

    margin: float | SemanticMargin = field(default_factory=SemanticMargin)
    negatives: Negatives | str = "hardest"
    name: ClassVar[str] = "lseh"
