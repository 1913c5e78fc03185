"""A vocabulary: the ids of images or the names of labels, and the position of each."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from vsenumba import storage
from vsenumba.checks import is_whole
from vsenumba.data.names import as_name, check_ordered, plain
from vsenumba.errors import InputError, unknown_name
from vsenumba.memory import check_memory

NAME_DTYPE = np.dtypes.StringDType()

# The number of names to process together. Processing all at once would take more memory than the names themselves.
BLOCK = 1 << 16


class Vocabulary:
    """Distinct, non-empty names in a fixed order.

    Parameters
    ----------
    names : iterable of str
        The names. A whole number becomes its decimal text. Names are converted to Unicode form NFC and stripped of
        surrounding whitespace, both here and in every look-up. See `vsenumba.data.names`.
    kind : str
        The kind of object that the names refer to, for error messages: ``"image"`` or ``"label"``.

    Raises
    ------
    InputError
        If a name is missing, empty, not text, or appears twice; or if `names` is a set, which has no order.

    Examples
    --------
    >>> labels = Vocabulary(["cat", "dog"], kind="label")
    >>> labels.index(["dog"])
    array([1])
    >>> labels[0]
    'cat'
    """

    def __init__(self, names: Iterable[Any], kind: str) -> None:
        self.kind = kind
        self._names = as_names(names, kind)
        _check_distinct(self._names, kind)

    @staticmethod
    def numbered(n: int, kind: str, prefix: str = "") -> NumberedVocabulary:
        """Return the vocabulary ``prefix + "0", prefix + "1", ..., prefix + str(n - 1)``."""
        return NumberedVocabulary(n, kind, prefix)

    @classmethod
    def of_distinct(cls, names: np.ndarray, kind: str) -> Vocabulary:
        """Make a vocabulary from a ``StringDType`` array of names known to be distinct and in canonical form.

        The method does not check the names. It is for callers that have already done so, such as readers of large
        tables.
        """
        vocabulary = cls.__new__(cls)
        vocabulary.kind, vocabulary._names = kind, names
        return vocabulary

    @property
    def names(self) -> np.ndarray:
        """All names, as a ``StringDType`` array."""
        return self._names

    @cached_property
    def _position(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self._names)}

    def take(self, positions: np.ndarray) -> np.ndarray:
        """Return the names at some positions, as a ``StringDType`` array."""
        return self._names[positions]

    def index(self, names: Iterable[Any]) -> np.ndarray:
        """Return the positions of `names` as int64.

        Raises
        ------
        UnknownNameError
            If a name is unknown. The message names the first one, and the most similar known names.
        """
        check_ordered(names, f"{self.kind} names")
        names = names if isinstance(names, Vocabulary) else [as_name(name, f"a {self.kind}") for name in names]
        found = self.find(names)
        missing = np.flatnonzero(found < 0)
        if len(missing):
            raise unknown_name(self.kind, names[missing[0]], self)
        return found

    def find(self, names: Iterable[Any]) -> np.ndarray:
        """Return the positions of `names` as int64, with -1 for unknown names."""
        return np.fromiter((self._position.get(_text(name), -1) for name in names), dtype=np.int64)

    def to_element(self) -> Any:
        """Return the element that represents the names in a file."""
        return self._names

    @staticmethod
    def from_element(element: Any, kind: str) -> Vocabulary:
        """Make a vocabulary from an element that `to_element` returned and that was read from a file.

        Raises
        ------
        InputError
            If the element is invalid, or a name is not in canonical form, so that it would change.
        """
        if not isinstance(element, Mapping):
            check_plain(element, kind)
            return Vocabulary(element, kind)
        n, prefix = element.get("count"), element.get("prefix")
        if type(n) is not int or n < 0 or not isinstance(prefix, str):
            raise InputError(f"{kind} names must be a list, or a prefix and a count, not {dict(element)}")
        return Vocabulary.numbered(n, kind, prefix)

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __getitem__(self, position: int) -> str:
        return str(self._names[position])

    def __contains__(self, name: object) -> bool:
        return bool(self.find([name])[0] >= 0)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and len(self) == len(other) and np.array_equal(self.names, other.names)

    __hash__ = None  # type: ignore[assignment]  # compared by content, like a list

    def __repr__(self) -> str:
        shown = ", ".join(repr(name) for name in itertools.islice(self, 3))
        return f"<{len(self)} {self.kind} names: {shown}{', ...' if len(self) > 3 else ''}>"


class NumberedVocabulary(Vocabulary):
    """Names that are a prefix and a number from 0 to n - 1, computed so that millions take no memory.

    Parameters
    ----------
    n : int
        The number of names.
    kind : str
        As in `Vocabulary`.
    prefix : str
        The text before the number.

    Raises
    ------
    InputError
        If `n` is negative, or the prefix does not make names in canonical form (see `vsenumba.data.names`).

    Examples
    --------
    >>> images = NumberedVocabulary(9_000_000, "image", prefix="image-")
    >>> images.index(["image-7", "image-8999999"])
    array([      7, 8999999])
    """

    def __init__(self, n: int, kind: str, prefix: str = "") -> None:
        if not is_whole(n, 0):
            raise InputError(f"the number of {kind} names must be a whole number of at least 0, not {n!r}")
        _check_prefix(prefix, kind)
        self.kind = kind
        self._n = int(n)
        self._prefix = prefix

    @property
    def names(self) -> np.ndarray:
        """All names, as a ``StringDType`` array that is made anew at every access."""
        check_memory(24 * self._n, f"a list of {self._n:,} {self.kind} names", "use fewer")
        return self.take(np.arange(self._n))

    def take(self, positions: np.ndarray) -> np.ndarray:
        """Return the names at some positions, as a ``StringDType`` array."""
        numbers = np.asarray(positions).astype(NAME_DTYPE)
        return np.asarray(np.strings.add(np.array(self._prefix, dtype=NAME_DTYPE), numbers))

    def find(self, names: Iterable[Any]) -> np.ndarray:
        """Return the positions of `names` as int64, with -1 for unknown names."""
        if isinstance(names, NumberedVocabulary) and names._prefix == self._prefix:
            positions = np.arange(len(names))
            positions[self._n :] = -1
            return positions
        return np.fromiter((self._number(_text(name)) for name in names), dtype=np.int64)

    def _number(self, name: str) -> int:
        digits = name[len(self._prefix) :]
        # Accept a number only as str writes it: not "007", not "٧".
        if not name.startswith(self._prefix) or not digits.isdecimal() or len(digits) > len(str(self._n)):
            return -1
        number = int(digits)
        return number if number < self._n and str(number) == digits else -1

    def to_element(self) -> Any:
        """Return the element that represents the names in a file."""
        return storage.Json({"prefix": self._prefix, "count": self._n})

    def __len__(self) -> int:
        return self._n

    def __iter__(self) -> Iterator[str]:
        return (f"{self._prefix}{i}" for i in range(self._n))

    def __getitem__(self, position: int) -> str:
        return f"{self._prefix}{range(self._n)[position]}"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, NumberedVocabulary) and self._prefix == other._prefix:
            return self._n == other._n
        return super().__eq__(other)

    __hash__ = None


def _check_prefix(prefix: str, kind: str) -> None:
    """Reject a prefix that is not in canonical form: look-ups would never find its names."""
    if "\0" in prefix:
        raise InputError(f"the prefix of the {kind} names holds a NUL character: {prefix!r}")
    as_texts([prefix], f"the prefix of the {kind} names")
    if plain(f"{prefix}0") != f"{prefix}0":
        raise InputError(
            f"the prefix of the {kind} names, {prefix!a}, is not in Unicode form NFC, or begins with a space; use "
            f"{plain(prefix + '0')[:-1]!a}"
        )


def as_texts(texts: Sequence[Any] | np.ndarray, what: str) -> np.ndarray:
    """Return texts as a ``StringDType`` array.

    Raises
    ------
    InputError
        If a text cannot be written in UTF-8, such as half of a surrogate pair. The message calls it `what`.
    """
    texts = texts.tolist() if isinstance(texts, np.ndarray) else texts
    try:
        return np.array(texts, dtype=NAME_DTYPE)
    except UnicodeEncodeError as error:
        raise InputError(f"{what} {error.object!r:.80} is not valid Unicode: {error.reason}") from error


def as_names(names: Iterable[Any], kind: str) -> np.ndarray:
    """Return names as a ``StringDType`` array in canonical form.

    Raises
    ------
    InputError
        If a name is missing, empty or not text, or `names` is a set, which has no order. The message gives the
        position.
    """
    check_ordered(names, f"{kind} names")
    if isinstance(names, np.ndarray) and names.dtype == NAME_DTYPE:
        if names.ndim != 1:
            raise InputError(f"{kind} names must be one-dimensional, not of shape {names.shape}")
        array = _plain_array(names)
    elif isinstance(names, (str, bytes)):
        raise InputError(f"{kind} names must be a sequence of names, not one string {names!r}")
    else:
        if isinstance(names, np.ndarray) and names.ndim != 1:
            raise InputError(f"{kind} names must be one-dimensional, not of shape {names.shape}")
        if not isinstance(names, Iterable):
            raise InputError(f"{kind} names must be a sequence of names, not {names!r:.60}")
        array = as_texts([as_name(name, f"{kind} name {i}") for i, name in enumerate(names)], f"{kind} name")
    for start in range(0, len(array), BLOCK):
        empty = np.flatnonzero(np.strings.str_len(array[start : start + BLOCK]) == 0)
        if len(empty):
            raise InputError(f"{kind} name {start + int(empty[0])} is empty; every {kind} needs a name")
    return array


def check_plain(names: np.ndarray, kind: str) -> None:
    """Raise an error if names from a file, a ``StringDType`` array, are not in canonical form."""
    plained = _plain_array(names)
    if plained is not names:
        name = str(names[np.flatnonzero(plained != names)[0]])
        raise InputError(f"{kind} name {name!a:.60} is not in Unicode form NFC, or has white space at its ends")


def _plain_array(names: np.ndarray) -> np.ndarray:
    """Return names in canonical form: usually the same array, because nearly all names are canonical already."""
    result = names
    for start in range(0, len(names), BLOCK):
        texts = names[start : start + BLOCK].tolist()
        plained = [plain(text) for text in texts]
        if plained != texts:
            result = names.copy() if result is names else result
            result[start : start + BLOCK] = np.array(plained, dtype=NAME_DTYPE)
    return result


def _text(name: Any) -> str:
    """Return a name to look up, in canonical form. A value that cannot be a name never matches."""
    return plain(name if isinstance(name, str) else str(name))


def _check_distinct(names: np.ndarray, kind: str) -> None:
    """Raise an error if a name appears twice or contains a NUL character."""
    for i, name in enumerate(names):
        if "\0" in name:  # many programs take NUL as the end of a text
            raise InputError(f"{kind} name {i} holds a NUL character: {name!r}")
    # Compare hashes first: a dict of nine million names takes a gigabyte, and is made only when you look up a name.
    hashes = np.fromiter((hash(name) for name in names), dtype=np.int64, count=len(names))
    hashes.sort()
    suspects = set(hashes[1:][hashes[1:] == hashes[:-1]].tolist())
    if suspects:
        seen: set[str] = set()
        for name in names:
            if name in seen:
                raise InputError(
                    f"{kind} {name!r} appears twice among the {kind} names; names must differ in more "
                    "than surrounding white "
                    "space and Unicode form"
                )
            if hash(name) in suspects:
                seen.add(name)
