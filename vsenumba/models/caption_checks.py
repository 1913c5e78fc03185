"""What a retriever refuses of its data, and what it warns of."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from vsenumba.data.captions.caption_set import CaptionSet
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
