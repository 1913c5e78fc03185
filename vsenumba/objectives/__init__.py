"""Objectives of image-text retrieval: the loss over a batch of matching pairs."""

from __future__ import annotations

from vsenumba.objectives.margins import SemanticMargin
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
from vsenumba.objectives.presets import LSEH, AdOpt, ConstantK, InfoNCE, MaxOfHinges, RandomK, SumOfHinges
from vsenumba.registry import Family

as_objective = Family(
    "objective",
    Objective,  # type: ignore[type-abstract]  # the base only names the family
    (SumOfHinges, MaxOfHinges, AdOpt, ConstantK, RandomK, InfoNCE, LSEH),
)
OBJECTIVES = as_objective.members

__all__ = [
    "LSEH",
    "NEGATIVES",
    "OBJECTIVES",
    "AdOpt",
    "AdaptiveNegatives",
    "AllNegatives",
    "BatchLoss",
    "ConstantK",
    "ConstantNegatives",
    "HardestNegative",
    "InfoNCE",
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
