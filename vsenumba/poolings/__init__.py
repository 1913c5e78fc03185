"""Poolings: the regions of an image, or the tokens of a text, into one vector."""

from __future__ import annotations

from vsenumba.poolings.adpool import AdPool
from vsenumba.poolings.gpo import GeneralisedPooling
from vsenumba.poolings.max import MaxPooling
from vsenumba.poolings.mean import MeanPooling
from vsenumba.poolings.pooling import Pooling
from vsenumba.poolings.top_mean import TopMeanPooling
from vsenumba.registry import member

POOLINGS: dict[str, type[Pooling]] = {
    pooling.name: pooling for pooling in (MeanPooling, MaxPooling, TopMeanPooling, GeneralisedPooling, AdPool)
}


def as_pooling(pooling: Pooling | str) -> Pooling:
    """Return a pooling as it is, or the one of that name with its default parameters; see `registry.member`."""
    return member("pooling", pooling, Pooling, POOLINGS)  # type: ignore[type-abstract]  # names the family


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
