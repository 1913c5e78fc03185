"""Checks of a retriever's data, and warnings about it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from vsenumba.data.captions.caption_set import CaptionSet
from vsenumba.data.text.word_vectors import WordVectors
from vsenumba.errors import InputError

# Below this standard deviation, the cosines of a batch count as equal.
_COLLAPSED = 0.01


def check_set(data: Any, argument: str = "data") -> None:
    """Raise an error for data that is not a CaptionSet."""
    if not isinstance(data, CaptionSet):
        raise InputError(
            f"{argument} must be a CaptionSet, such as the result of load_caption_set, not {type(data).__name__}"
        )


def check_data(data: Any) -> None:
    """Raise an error for data from which nothing can be learnt."""
    check_set(data)
    if len(np.unique(data.image_subjects)) < 2:
        raise InputError("all images have the same subject; at least two different subjects are needed")


def check_words(words: Any, width: int) -> None:
    """Raise an error for words that cannot be the initial word vectors of a given width."""
    if not isinstance(words, WordVectors):
        raise InputError(f"words must be WordVectors, such as a model's word_vectors_, not {type(words).__name__}")
    if words.factors.shape[1] != width:
        raise InputError(f"words have {words.factors.shape[1]} dimensions, but word_factors is {width}")


def warn_of_unknown(unknown: np.ndarray, so: str) -> None:
    """Warn about captions without any known word; `so` states the consequence."""
    if unknown.any():
        warnings.warn(
            f"{unknown.sum():,} of {len(unknown):,} captions have no word that the model knows; {so}",
            UserWarning,
            stacklevel=3,
        )


def warn_of_collapse(model: Any, record: Mapping[str, float]) -> None:
    """Warn after an epoch in which all cosines have become nearly equal; a callback."""
    if record["spread"] < _COLLAPSED:
        warnings.warn(
            f"epoch {record['epoch']}: the cosines of a batch are nearly equal (spread {record['spread']:.4f}), so the "
            "space has collapsed; raise warmup_epochs, lower learning_rate, or use an objective with more negatives",
            UserWarning,
            stacklevel=2,
        )
