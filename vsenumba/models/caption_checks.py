"""What a retriever refuses of its data, and what it warns of."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from vsenumba.data.captions.caption_set import CaptionSet
from vsenumba.data.text.word_vectors import WordVectors
from vsenumba.errors import InputError

# Cosines of a batch that differ by less on average are taken for equal.
_COLLAPSED = 0.01


def check_set(data: Any, argument: str = "data") -> None:
    """Refuse what is no set of captions."""
    if not isinstance(data, CaptionSet):
        raise InputError(
            f"{argument} must be a CaptionSet, such as load_caption_set returns, not {type(data).__name__}"
        )


def check_data(data: Any) -> None:
    """Refuse what nothing can be learnt from."""
    check_set(data)
    if len(np.unique(data.image_subjects)) < 2:
        raise InputError("all images have one subject; there is nothing to tell apart")


def check_words(words: Any, width: int) -> None:
    """Refuse what cannot be what words' vectors of a width begin as."""
    if not isinstance(words, WordVectors):
        raise InputError(f"words must be WordVectors, as word_vectors_ of a model, not {type(words).__name__}")
    if words.factors.shape[1] != width:
        raise InputError(f"words have {words.factors.shape[1]} dimensions, word_factors is {width}")


def warn_of_unknown(unknown: np.ndarray, so: str) -> None:
    """Say of how many captions the model knows no word, and what becomes of them."""
    if unknown.any():
        warnings.warn(
            f"{unknown.sum():,} of {len(unknown):,} captions have no word that the model knows; {so}",
            UserWarning,
            stacklevel=3,
        )


def warn_of_collapse(model: Any, record: Mapping[str, float]) -> None:
    """Say so after an epoch in which all cosines have become alike; a callback."""
    if record["spread"] < _COLLAPSED:
        warnings.warn(
            f"epoch {record['epoch']}: the cosines of a batch are nearly equal (spread {record['spread']:.4f}), the "
            "space has collapsed; raise warmup_epochs, lower learning_rate, or use an objective with more negatives",
            UserWarning,
            stacklevel=2,
        )
