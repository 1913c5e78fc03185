"""The maximum of hinges: the hardest negative of the batch counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vsenumba.objectives.hinges import Hinges
from vsenumba.objectives.negatives import Negatives


@dataclass(frozen=True, kw_only=True)
class MaxOfHinges(Hinges):
    """The hinge of the hardest negative (Faghri et al., "VSE++", BMVC 2018), also called LMH.

    At the start all cosines may become equal, and the loss stays at ``2 N margin``: begin with all negatives.
    """

    negatives: Negatives | str = "hardest"
    name: ClassVar[str] = "max-of-hinges"
