"""Negative samplers. Each has a documented law, and tests compare its draws with that law."""

from __future__ import annotations

from vsenumba.registry import Family
from vsenumba.samplers.adaptive import AdaptiveSampler
from vsenumba.samplers.dynamic import DynamicSampler
from vsenumba.samplers.popularity import PopularitySampler
from vsenumba.samplers.rank import RankSampler
from vsenumba.samplers.sampler import MAX_REJECTIONS, Sampler, aim, draw, trial_probability
from vsenumba.samplers.uniform import UniformSampler
from vsenumba.samplers.warp import WarpSampler

# The order of tables and figures: from the simplest sampler to that of the paper.
as_sampler = Family(
    "sampler",
    Sampler,  # type: ignore[type-abstract]  # the base only names the family
    (
        UniformSampler,
        PopularitySampler,
        WarpSampler,
        DynamicSampler,
        RankSampler,
        AdaptiveSampler,
    ),
)
SAMPLERS = as_sampler.members

__all__ = [
    "MAX_REJECTIONS",
    "SAMPLERS",
    "AdaptiveSampler",
    "DynamicSampler",
    "PopularitySampler",
    "RankSampler",
    "Sampler",
    "UniformSampler",
    "WarpSampler",
    "aim",
    "as_sampler",
    "draw",
    "trial_probability",
]
