"""Captions as rows for the caption branch: trained word vectors, or fixed rows from a text encoder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from vsenumba.data.captions.ragged import Ragged
from vsenumba.data.text.reading import words_of
from vsenumba.data.vocabulary import Vocabulary

# Row 0 of the word vectors is for all unknown words.
UNKNOWN = "<unknown>"


class Captions(ABC):
    """Base class of both kinds of captions."""

    trained: ClassVar[bool]

    @property
    @abstractmethod
    def unknown(self) -> np.ndarray:
        """Which captions have no known word, (n,) bool."""

    @abstractmethod
    def take(self, captions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the tokens of some captions, and the offset of each caption among them, (n + 1,) int64."""

    @abstractmethod
    def rows(self, tokens: np.ndarray, tables: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the tokens' rows, (N, d) float32."""

    @abstractmethod
    def gradients(
        self, tokens: np.ndarray, in_rows: np.ndarray | None, tables: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Return the gradients of the tables that the rows come from."""


class WordCaptions(Captions):
    """Captions as words, whose vectors are the rows of the table ``"words"``.

    Parameters
    ----------
    texts : sequence of str
        The captions.
    words : Vocabulary
        The known words; the first one is `UNKNOWN`.
    """

    trained = True

    def __init__(self, texts: Sequence[str] | np.ndarray, words: Vocabulary) -> None:
        lists = [words_of(str(text)) for text in texts]
        # A caption without words gets a single unknown word.
        counts = [max(len(one), 1) for one in lists]
        self._offsets = np.concatenate(([0], np.cumsum(counts)))
        found = words.find(word for one in lists for word in (one or [UNKNOWN]))
        self._tokens = np.maximum(found, 0).astype(np.int32)

    @property
    def known_share(self) -> float:
        """The share of words that are known."""
        return float((self._tokens > 0).mean())

    @property
    def unknown(self) -> np.ndarray:
        """Which captions have no known word; see `Captions.unknown`."""
        if not len(self._tokens):
            return np.zeros(0, bool)
        return np.asarray(np.maximum.reduceat(self._tokens, self._offsets[:-1]) == 0)

    def take(self, captions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the numbers of the words; see `Captions.take`."""
        starts = self._offsets[captions]
        lengths = self._offsets[captions + 1] - starts
        offsets = np.concatenate(([0], np.cumsum(lengths)))
        return self._tokens[np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)], offsets

    def rows(self, tokens: np.ndarray, tables: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the vectors of the words; see `Captions.rows`."""
        return tables["words"][tokens]

    def gradients(
        self, tokens: np.ndarray, in_rows: np.ndarray | None, tables: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Return the sum of the gradients of each word's uses; see `Captions.gradients`."""
        result = np.zeros_like(tables["words"])
        order = np.argsort(tokens, kind="stable")
        used, first = np.unique(tokens[order], return_index=True)
        result[used] = np.add.reduceat(in_rows[order], first)  # type: ignore[index]  # asked for, as it is trained
        return {"words": result}


class TokenCaptions(Captions):
    """Captions as fixed rows of numbers.

    Parameters
    ----------
    tokens : Ragged
        The rows of every caption.
    """

    trained = False

    def __init__(self, tokens: Ragged) -> None:
        self._tokens = tokens

    @property
    def unknown(self) -> np.ndarray:
        """Return False for every caption; see `Captions.unknown`."""
        return np.zeros(len(self._tokens), bool)

    def take(self, captions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows; see `Captions.take`."""
        return self._tokens.take(captions)

    def rows(self, tokens: np.ndarray, tables: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the rows unchanged; see `Captions.rows`."""
        return tokens

    def gradients(
        self, tokens: np.ndarray, in_rows: np.ndarray | None, tables: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Return no gradients, because the rows are fixed."""
        return {}


def caption_words(texts: Any, min_count: int) -> Vocabulary:
    """Return the words that occur at least `min_count` times, most frequent first, after `UNKNOWN`."""
    counts: dict[str, int] = {}
    for text in texts:
        for word in words_of(str(text)):
            counts[word] = counts.get(word, 0) + 1
    kept = sorted((word for word, n in counts.items() if n >= min_count), key=lambda word: -counts[word])
    return Vocabulary([UNKNOWN, *kept], "word")
