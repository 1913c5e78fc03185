"""Objectives of image-text retrieval: what a batch of matching pairs is trained on."""

from __future__ import annotations

from vsenumba.objectives.adopt import AdOpt
from vsenumba.objectives.constant_k import ConstantK
from vsenumba.objectives.infonce import InfoNce
from vsenumba.objectives.lseh import Lseh
from vsenumba.objectives.margins import SemanticMargin
from vsenumba.objectives.max_of_hinges import MaxOfHinges
from vsenumba.objectives.negatives import (
    NEGATIVES,
    AdaptiveNegatives,
    AllNegatives,
    ConstantNegatives,
    HardestNegative,
    MixedNegatives,
    Negatives,
    RandomNegatives,
    SemiHardNegatives,
    as_negatives,
)
from vsenumba.objectives.objective import BatchLoss, Objective
from vsenumba.objectives.random_k import RandomK
from vsenumba.objectives.sum_of_hinges import SumOfHinges
from vsenumba.registry import member

OBJECTIVES: dict[str, type[Objective]] = {
    objective.name: objective for objective in (SumOfHinges, MaxOfHinges, AdOpt, ConstantK, RandomK, InfoNce, Lseh)
}


def as_objective(objective: Objective | str) -> Objective:
    """Return an objective as it is, or the one of that name with its default parameters; see `registry.member`."""
    return member("objective", objective, Objective, OBJECTIVES)  # type: ignore[type-abstract]  # names the family


__all__ = [
    "NEGATIVES",
    "OBJECTIVES",
    "AdOpt",
    "AdaptiveNegatives",
    "AllNegatives",
    "BatchLoss",
    "ConstantK",
    "ConstantNegatives",
    "HardestNegative",
    "InfoNce",
    "Lseh",
    "MaxOfHinges",
    "MixedNegatives",
    "Negatives",
    "Objective",
    "RandomK",
    "RandomNegatives",
    "SemanticMargin",
    "SemiHardNegatives",
    "SumOfHinges",
    "as_negatives",
    "as_objective",
]
