"""The texts of a caption set: check captions and the names of parts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np

from vsenumba.data.names import as_name
from vsenumba.data.vocabulary import as_texts
from vsenumba.errors import InputError

# Halves of surrogate pairs, which valid UTF-8 never contains.
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def as_captions(captions: Iterable[str]) -> list[str]:
    """Return captions as a list, after checking that they are ordered and that each is a text.

    Raises
    ------
    InputError
        If `captions` is a single text or a set, or a caption is not a text (None, a number or bytes) or not valid
        Unicode.
    """
    texts = list(in_order(captions))
    wrong = next((i for i, text in enumerate(texts) if not isinstance(text, str)), None)
    if wrong is not None:
        raise InputError(f"caption {wrong} must be a text, not {texts[wrong]!r:.60}")
    broken = next((i for i, text in enumerate(texts) if _SURROGATE.search(text)), None)
    if broken is not None:
        raise InputError(
            f"caption {broken} is not valid Unicode: it has half of a surrogate pair, {texts[broken]!r:.60}"
        )
    return texts


def as_parts(parts: Iterable[Any]) -> np.ndarray:
    """Return the part of each image as a ``StringDType`` array of canonical names. Missing names are empty."""
    if isinstance(parts, (str, bytes, Set)) or not isinstance(parts, Iterable):
        raise InputError(f"parts must be a list of names, not {parts!r:.60}")
    return as_texts([as_name(name, f"the part of image {i}") for i, name in enumerate(parts)], "the part")


def in_order(captions: Iterable[Any]) -> Iterable[Any]:
    """Return captions unchanged, and raise an error if they are a single text or unordered."""
    if isinstance(captions, (str, bytes, Set, Mapping)) or not isinstance(captions, Iterable):
        raise InputError(f"captions must be a list of texts, not {captions!r:.60}")
    return captions
