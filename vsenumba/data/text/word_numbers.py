"""Numbers for the words of a text, assigned in order of first use."""

from __future__ import annotations

import numpy as np

from vsenumba.data.text.reading import BLANKS, NON_JOINER, is_letter, is_mark
from vsenumba.kernels.words import (
    BLANK,
    LETTER,
    LETTERS,
    LINE_END,
    MARK,
    OTHER,
    SEAM,
    WORDS,
    WordBook,
    fill_slots,
    number_words,
)

CODE_POINTS = 0x110000
_PAGE = 256


class CharacterClasses:
    """A table of the characters that belong to words, filled page by page as texts need them.

    A word is a run of letters, digits and underscores, including the marks and joiners that scripts use.
    """

    def __init__(self) -> None:
        self.table = np.zeros(CODE_POINTS, np.uint8)
        self._known = np.zeros(CODE_POINTS // _PAGE, bool)

    def learn(self, codes: np.ndarray) -> None:
        """Fill the pages of the table for some code points."""
        for page in {0, *np.unique(codes[codes >= _PAGE] // _PAGE).tolist()}:
            if self._known[page]:
                continue
            first = page * _PAGE
            self.table[first : first + _PAGE] = [_class_of(chr(code)) for code in range(first, first + _PAGE)]
            self._known[page] = True


def _class_of(character: str) -> int:
    if character == "\n":
        return LINE_END
    if character in BLANKS:
        return BLANK
    if character == NON_JOINER:
        return SEAM
    if is_letter(character):
        return LETTER
    return MARK if is_mark(character) else OTHER


class WordNumbers:
    """Number words from 0 in order of first use, and count them."""

    def __init__(self) -> None:
        self._book = WordBook(
            slots=np.full(1 << 16, -1, np.int32),
            hashes=np.zeros(0, np.uint64),
            counts=np.zeros(0, np.int64),
            ends=np.zeros(0, np.int64),
            letters=np.zeros(0, np.uint32),
            sizes=np.zeros(2, np.int64),
        )
        self.n_known = 0

    def __len__(self) -> int:
        """Return how many numbers were assigned."""
        return int(self._book.sizes[WORDS])

    @property
    def counts(self) -> np.ndarray:
        """The number of occurrences of each word, by its number."""
        return self._book.counts[: len(self)]

    def add(self, codes: np.ndarray, classes: np.ndarray, *, paragraphs: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return the numbers of a text's words and the lengths of its sentences, both as int32."""
        most = len(codes) // 2 + 1
        self._make_room(most, len(codes))
        tokens, lengths = np.empty((2, most), np.int32)
        before = len(self)
        n_tokens, n_sentences = number_words(codes, classes, paragraphs, self._book, tokens, lengths)
        self.n_known += len(self) - before
        return tokens[:n_tokens], lengths[:n_sentences]

    def _make_room(self, n_words: int, n_letters: int) -> None:
        book = self._book
        words, letters = len(self) + n_words, int(book.sizes[LETTERS]) + n_letters
        grown = {name: _longer(getattr(book, name), words) for name in ("hashes", "counts", "ends")} | {
            "letters": _longer(book.letters, letters)
        }
        self._book = book._replace(**grown)
        if 2 * (self.n_known + n_words) > len(book.slots):
            self._refill(self.n_known + n_words)

    def _refill(self, n_words: int) -> None:
        self._book = self._book._replace(slots=np.full(1 << (2 * n_words - 1).bit_length(), -1, np.int32))
        fill_slots(self._book)

    def known(self) -> np.ndarray:
        """Return the numbers of the words that were not forgotten."""
        return np.flatnonzero(self._lengths() > 0)

    def _lengths(self) -> np.ndarray:
        return np.diff(self._book.ends[: len(self)], prepend=0)

    def names(self, numbers: np.ndarray) -> list[str]:
        """Return the words of some numbers."""
        ends = self._book.ends[numbers]
        starts = ends - self._lengths()[numbers]
        letters = self._book.letters
        return [
            letters[start:end].tobytes().decode("utf-32-le", "surrogatepass")
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
        ]

    def forget_rarest(self) -> int:
        """Forget at least the rarer half of the words, and return how many.

        A forgotten word that appears again gets a new number.
        """
        lengths = self._lengths()
        known = lengths > 0
        gone = known & (self.counts <= np.median(self.counts[known]))
        kept = self._book.letters[: lengths.sum()][np.repeat(~gone, lengths)]
        lengths[gone] = 0
        self._book = self._book._replace(ends=np.cumsum(lengths), letters=kept)
        self._book.sizes[LETTERS] = len(kept)
        self.n_known -= int(gone.sum())
        self._refill(self.n_known)
        return int(gone.sum())


def _longer(array: np.ndarray, n: int) -> np.ndarray:
    """Return an array of at least `n` values that begins with the values of `array`."""
    if len(array) >= n:
        return array
    longer = np.empty(max(n, 2 * len(array)), array.dtype)
    longer[: len(array)] = array
    return longer
