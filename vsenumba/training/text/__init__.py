"""Training of word vectors by skip-gram or CBOW: one window of words at a time, over shards of sentences."""

from __future__ import annotations

from vsenumba.registry import Family
from vsenumba.training.text.architecture import Architecture
from vsenumba.training.text.cbow import Cbow
from vsenumba.training.text.skipgram import SkipGram

as_architecture = Family(
    "architecture",
    Architecture,  # type: ignore[type-abstract]  # the base only names the family
    (SkipGram, Cbow),
)
ARCHITECTURES = as_architecture.members

__all__ = ["ARCHITECTURES", "Architecture", "Cbow", "SkipGram", "as_architecture"]
