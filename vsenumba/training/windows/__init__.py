"""Word vectors' training: a window of words at a time, skip-gram or CBOW, over shards of sentences."""

from __future__ import annotations

from vsenumba.registry import member
from vsenumba.training.windows.architecture import Architecture
from vsenumba.training.windows.cbow import Cbow
from vsenumba.training.windows.skipgram import SkipGram

ARCHITECTURES: dict[str, type[Architecture]] = {architecture.name: architecture for architecture in (SkipGram, Cbow)}


def as_architecture(architecture: str) -> Architecture:
    """Return the architecture of that name; see `registry.member`."""
    return member("architecture", architecture, Architecture, ARCHITECTURES)  # type: ignore[type-abstract]  # likewise


__all__ = ["ARCHITECTURES", "Architecture", "Cbow", "SkipGram", "as_architecture"]
