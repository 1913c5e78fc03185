"""SHA-256 digests of arrays and texts, computed in blocks so that data on disk is never held in memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from vsenumba import storage
from vsenumba.data.vocabulary import BLOCK


def add_array(sha: Any, array: np.ndarray, dtype: npt.DTypeLike) -> None:
    """Add an array's values to a hash, converted to a dtype of fixed byte order."""
    for block in storage.blocks_of(array):
        sha.update(np.ascontiguousarray(block, dtype).data)


def add_texts(sha: Any, texts: Iterable[str]) -> None:
    """Add texts to a hash, each followed by a NUL."""
    rest = iter(texts)
    while block := "".join(f"{text}\0" for text in itertools.islice(rest, BLOCK)):
        sha.update(block.encode())
