"""Numbers for names, in order of first use, in little more memory than the characters of the names."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from vsenumba.data.annotation.readers.growing import longer
from vsenumba.data.vocabulary import NAME_DTYPE
from vsenumba.kernels.rows import empty_book, number_names
from vsenumba.kernels.words import LETTERS, WORDS, WordBook, fill_slots

# The number of names to decode together.
_BLOCK = 1 << 16


class NameNumbers:
    """Names and their numbers, for compiled code.

    Parameters
    ----------
    names : sequence of str
        The names that get the first numbers. They must be distinct.

    Examples
    --------
    >>> names = NameNumbers(["cat", "dog"])
    >>> names.number(["dog", "é", "cat", "é"])
    array([1, 2, 0, 2], dtype=int32)
    >>> names.texts().tolist()
    ['cat', 'dog', 'é']
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.book: WordBook = empty_book()
        self.number(names)

    def __len__(self) -> int:
        return int(self.book.sizes[WORDS])

    def number(self, names: Sequence[str]) -> np.ndarray:
        """Return the numbers of some names, int32. New names get the next numbers."""
        encoded = [name.encode() for name in names]
        text = np.frombuffer(b"".join(encoded), np.uint8)
        ends = np.cumsum([len(one) for one in encoded], dtype=np.int64)
        numbers = np.empty(len(encoded), np.int32)
        self.make_room(len(encoded), len(text))
        number_names(text, ends, self.book, numbers)
        return numbers

    def make_room(self, n_names: int, n_letters: int) -> None:
        """Allocate space for this many new names and characters."""
        n, book = len(self) + n_names, self.book
        for array in (book.hashes, book.counts, book.ends):
            longer(array, n)
        longer(book.letters, int(book.sizes[LETTERS]) + n_letters)
        if 2 * n > len(book.slots):
            # A hash table that is more than half full would make searches slow.
            n_slots = 1 << (2 * n - 1).bit_length()
            self.book = book._replace(slots=np.zeros(0, np.int32))
            del book
            self.book = self.book._replace(slots=np.full(n_slots, -1, np.int32))
            fill_slots(self.book)

    def forget_hashes(self) -> None:
        """Free the memory that is needed only to add names."""
        self.book = self.book._replace(slots=np.zeros(0, np.int32), hashes=np.zeros(0, np.uint64))

    @property
    def counts(self) -> np.ndarray:
        """The count of each name, (n,) int64."""
        return self.book.counts[: len(self)]

    def texts(self) -> np.ndarray:
        """Return the names in the order of their numbers, as a ``StringDType`` array."""
        n = len(self)
        found = np.empty(n, NAME_DTYPE)
        start = 0
        for first in range(0, n, _BLOCK):
            ends = self.book.ends[first : min(first + _BLOCK, n)]
            raw = self.book.letters[start : int(ends[-1])].tobytes()
            at = [0, *(ends - start).tolist()]
            if raw.isascii():
                text = raw.decode()
                names = [text[a:b] for a, b in itertools.pairwise(at)]
            else:
                names = [raw[a:b].decode() for a, b in itertools.pairwise(at)]
            found[first : first + len(names)] = names
            start = int(ends[-1])
        return found
