"""The sum of hinges: every negative of the batch counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vsenumba.objectives.hinges import Hinges


@dataclass(frozen=True, kw_only=True)
class SumOfHinges(Hinges):
    """Hinges over all negatives (Kiros et al. 2014); with a `SemanticMargin` it is the LSH of the LSEH paper."""

    name: ClassVar[str] = "sum-of-hinges"
