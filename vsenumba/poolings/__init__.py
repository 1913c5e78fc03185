"""Poolings: combine the regions of an image, or the tokens of a text, into one vector."""

from __future__ import annotations

from vsenumba.poolings.adpool import AdPool
from vsenumba.poolings.gpo import GeneralisedPooling
from vsenumba.poolings.max import MaxPooling
from vsenumba.poolings.mean import MeanPooling
from vsenumba.poolings.pooling import Pooling
from vsenumba.poolings.top_mean import TopMeanPooling
from vsenumba.registry import Family

as_pooling = Family(
    "pooling",
    Pooling,  # type: ignore[type-abstract]  # the base only names the family
    (MeanPooling, MaxPooling, TopMeanPooling, GeneralisedPooling, AdPool),
)
POOLINGS = as_pooling.members

__all__ = [
    "POOLINGS",
    "AdPool",
    "GeneralisedPooling",
    "MaxPooling",
    "MeanPooling",
    "Pooling",
    "TopMeanPooling",
    "as_pooling",
]
