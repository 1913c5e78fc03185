"""Negative samplers: each has a documented law, and a draw that is held to it by tests."""

from __future__ import annotations

from vsenumba.registry import member
from vsenumba.samplers.adaptive import AdaptiveSampler
from vsenumba.samplers.dynamic import DynamicSampler
from vsenumba.samplers.popularity import PopularitySampler
from vsenumba.samplers.rank import RankSampler
from vsenumba.samplers.sampler import MAX_REJECTIONS, Sampler, aim, draw
from vsenumba.samplers.uniform import UniformSampler
from vsenumba.samplers.warp import WarpSampler

# The order is that of tables and figures: from the plainest to the paper's.
SAMPLERS: dict[str, type[Sampler]] = {
    sampler.name: sampler
    for sampler in (
        UniformSampler,
        PopularitySampler,
        WarpSampler,
        DynamicSampler,
        RankSampler,
        AdaptiveSampler,
    )
}


def as_sampler(sampler: Sampler | str) -> Sampler:
    """Return a sampler as it is, or the one of that name with its default parameters; see `registry.member`."""
    return member("sampler", sampler, Sampler, SAMPLERS)  # type: ignore[type-abstract]  # the base only names the family


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
]
