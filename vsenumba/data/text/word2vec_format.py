"""Word vectors in word2vec's text and binary formats, and in GloVe's.

A word2vec file starts with a line that has the number of words and of values. Each row is a word and its values, as
text or as floats. A GloVe file is the text format without the first line.
"""

from __future__ import annotations

import codecs
import re
import warnings
from collections.abc import Sequence
from contextlib import suppress
from os import PathLike

import numpy as np

from vsenumba.data.compression import open_decompressed
from vsenumba.data.names import plain
from vsenumba.data.text.reading import REPLACEMENT
from vsenumba.data.vocabulary import Vocabulary, as_names
from vsenumba.errors import FileFormatError, InputError
from vsenumba.storage import open_output

# A word longer than this, or a first line longer than _LONGEST_HEAD, indicates another format.
_LONGEST_WORD = 10_000
_LONGEST_HEAD = 1 << 20

# An upper limit for the bytes of a value as text.
_LONGEST_VALUE = 64

_BLOCK = 1 << 20

# The number of rows to allocate at first if no header gives the number of rows.
_ROWS = 1 << 10


def write_word2vec(path: str | PathLike[str], words: Vocabulary, factors: np.ndarray, *, binary: bool = False) -> None:
    """Write names and their vectors.

    Parameters
    ----------
    path : str or path
        The file to write, completely or not at all. A pipe or a device is written directly.
    words : Vocabulary
        One name per row. In these formats a space ends a word, so spaces within names become underscores.
    factors : (n, k) float32 array
        The vectors.
    binary : bool
        Whether to write the values as little-endian float32 instead of text. Text has nine digits, which preserve every
        value exactly.

    Warns
    -----
    UserWarning
        If names that differ only in spaces and underscores become the same.
    """
    names = [re.sub(r"\s", "_", name) for name in words]
    twice = _repeated(names)
    if twice:
        warnings.warn(
            f"several {words.kind}s are named {names[twice[0]]!r} after replacing spaces by underscores", stacklevel=3
        )
    rows = np.ascontiguousarray(factors, dtype="<f4")
    with open_output(path, streams=True) as file:
        file.write(f"{len(names)} {rows.shape[1]}\n".encode())
        for name, row in zip(names, rows, strict=True):
            values = row.tobytes() if binary else " ".join(f"{value:.9g}" for value in row.tolist()).encode()
            file.write(name.encode() + b" " + values + b"\n")


def read_word2vec(path: str | PathLike[str]) -> tuple[Vocabulary, np.ndarray]:
    """Read names and their vectors as text or binary, and detect the format from the content.

    Returns
    -------
    words : Vocabulary
        The names.
    factors : (n, k) float32 array
        Their vectors.

    Raises
    ------
    InputError
        If the file does not exist.
    FileFormatError
        If the first line is neither two whole numbers nor a word and its values, or a row is missing, too short, or has
        a value that is not a finite number.

    Warns
    -----
    UserWarning
        If words appear twice (the first is kept), are blank (they are skipped), or contain bytes that are not UTF-8
        (they become U+FFFD).
    """
    with open_decompressed(path) as stream:
        line = stream.readline(_LONGEST_HEAD).removeprefix(codecs.BOM_UTF8)
        extents = _extents(line)
        second = stream.readline(_LONGEST_HEAD if extents is None else _longest_row(extents[1]))
    if extents is None:
        n_factors = _n_values(line)
        if second.strip() and _n_values(second) != n_factors > 1:
            raise FileFormatError(
                f"{path}: line 1 ends with {n_factors} numbers and line 2 with {_n_values(second)}; if a "
                "number is part "
                "of a word, add a first line with the number of words and of values"
            )
        if n_factors < 2:
            raise FileFormatError(
                f"{path}: line 1 must be the number of words and of values, such as '3000 100', or a word and its "
                f"values, not {line[:60]!r}"
            )
        names, factors, _ = _read_text(path, None, n_factors)
    else:
        names, factors = _read_either(path, *extents, second)
    try:
        return _distinct(path, names, factors)
    except InputError as error:
        raise FileFormatError(f"{path}: {error}") from error


def _extents(line: bytes) -> tuple[int, int] | None:
    """Return the number of words and of values in a header, or None if the line is not a header."""
    fields = line.split()
    if len(fields) != 2 or not all(field.isdigit() and len(field) < 19 and int(field) for field in fields):
        return None
    return int(fields[0]), int(fields[1])


def _longest_row(n_factors: int) -> int:
    return min(_LONGEST_VALUE * n_factors, 1 << 26) + _LONGEST_WORD


def _n_values(line: bytes) -> int:
    """Return the number of numeric fields at the end of a line, not counting its first field, the word."""
    fields = line.split()[1:]
    return next((i for i, field in enumerate(reversed(fields)) if not _is_number(field)), len(fields))


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _read_either(path: str | PathLike[str], n_words: int, n_factors: int, row: bytes) -> tuple[list[bytes], np.ndarray]:
    """Read a file with a header as text or binary, given its first row.

    Floats can have the same bytes as a line of text, so only the whole file can decide. A file that fits both formats
    is text if every line is a word without spaces and its values.
    """
    text: tuple[list[bytes], np.ndarray] | None = None
    if _n_values(row) >= n_factors:
        with suppress(FileFormatError):
            names, factors, is_plain = _read_text(path, n_words, n_factors)
            text = names, factors
            if is_plain:
                return text
    try:
        return _read_binary(path, n_words, n_factors)
    except FileFormatError:
        if text is None and not _is_printable(row):
            raise
    return text or _read_text(path, n_words, n_factors)[:2]


def _is_printable(row: bytes) -> bool:
    """Return whether the bytes after the first word are text, valid or not."""
    values = row.rstrip().split(None, 1)[1:]
    return bool(values) and all(32 <= byte < 127 or byte == 9 for byte in values[0])


def _room(path: str | PathLike[str], n_words: int, n_factors: int) -> np.ndarray:
    try:
        return np.empty((n_words, n_factors), dtype=np.float32)
    except (MemoryError, ValueError) as error:
        raise FileFormatError(
            f"{path}: the header announces {n_words:,} words of {n_factors:,} values, more than memory holds"
        ) from error


def _read_text(path: str | PathLike[str], n_words: int | None, n_factors: int) -> tuple[list[bytes], np.ndarray, bool]:
    """Read rows of text: the number that a header announced, or all rows if `n_words` is None.

    Returns the names, the vectors, and whether the text is strict: no extra lines, and no spaces within words.
    """
    factors = _room(path, _ROWS if n_words is None else n_words, n_factors)
    names: list[bytes] = []
    with open_decompressed(path) as stream:
        if n_words is not None:
            stream.readline(_LONGEST_HEAD)
        number = 1 if n_words is None else 2
        line = stream.readline(_longest_row(n_factors))
        if n_words is None:
            line = line.removeprefix(codecs.BOM_UTF8)
        while line.strip() if n_words is None else len(names) < n_words:
            # The word may contain spaces, or consist only of spaces.
            name, *values = (
                [b"", *line.split()] if _lacks_word(line, n_factors) else line.rsplit(None, n_factors) or [b""]
            )
            if len(values) != n_factors:
                found = f"{len(line.split())} fields" if line else "the end of the file"
                raise FileFormatError(f"{path}: line {number} must be a word and {n_factors} values, found {found}")
            if len(names) == len(factors):
                factors.resize((2 * len(factors), n_factors), refcheck=False)
            try:
                with np.errstate(over="ignore"):
                    factors[len(names)] = values
            except ValueError as error:
                raise FileFormatError(f"{path}: line {number}: {error}") from error
            names.append(name.strip())
            line = stream.readline(_longest_row(n_factors))
            number += 1
        if line.strip():
            raise FileFormatError(f"{path}: line 1 announces {n_words} words, but there are more")
        if stream.read(_BLOCK).strip():
            raise FileFormatError(f"{path}: line {number} is blank, but more lines follow")
    if n_words is not None and all(b" " in name and _is_number(name.split()[-1]) for name in names):
        raise FileFormatError(f"{path}: line 1 announces {n_factors} values, but all rows have more")
    factors = factors[: len(names)]
    _check_finite(path, names, factors)
    return names, factors, not line and all(len(name.split()) == 1 for name in names)


def _lacks_word(line: bytes, n_factors: int) -> bool:
    return line[:1].isspace() and len(line.split()) == n_factors


def _read_binary(path: str | PathLike[str], n_words: int, n_factors: int) -> tuple[list[bytes], np.ndarray]:
    """Read rows of a word and binary floats."""
    factors = _room(path, n_words, n_factors)
    names = []
    with open_decompressed(path) as stream:
        stream.readline(_LONGEST_HEAD)
        held, at = b"", 0
        size = 4 * n_factors
        n_ended = 0
        for row in range(n_words):
            while (blank := held.find(b" ", at)) < 0 or blank + size >= len(held):
                block = stream.read(_BLOCK)
                if not block or (blank < 0 and len(held) - at > _LONGEST_WORD):
                    raise FileFormatError(f"{path}: truncated at word {row + 1} of {n_words}, or not a word2vec file")
                held, at = held[at:] + block, 0
            # Some programs end a row with a line feed, and some do not.
            name = held[at:blank].lstrip(b"\n")
            if b"\n" in name:
                raise FileFormatError(f"{path}: a line feed within word {row + 1} of {n_words}, or not a word2vec file")
            n_ended += row > 0 and len(name) < blank - at
            names.append(name)
            at = blank + 1 + size
            factors[row] = np.frombuffer(held[blank + 1 : at], "<f4")
        left = held[at:] + stream.read(1)
    if left.strip(b"\n"):
        raise FileFormatError(f"{path}: line 1 announces {n_words} words, but the file is longer")
    if not left and not n_ended and _are_lines(factors):
        raise FileFormatError(f"{path}: not every row is a word and {n_factors} values")
    _check_finite(path, names, factors)
    return names, factors


def _check_finite(path: str | PathLike[str], names: Sequence[bytes], factors: np.ndarray) -> None:
    if not np.isfinite(factors).all():
        row = int(np.flatnonzero(~np.isfinite(factors).all(axis=1))[0])
        name = names[row].decode("utf-8", "replace")
        raise FileFormatError(f"{path}: the vector of word {row + 1}, {name!r}, holds NaN or an infinity")


def _are_lines(factors: np.ndarray) -> bool:
    """Return whether the bytes of every row could be a line of text, up to its line feed."""
    codes = factors.astype("<f4").view(np.uint8)
    inside = codes[:, :-1]
    return bool(((inside >= 32) & (inside < 127)).all() and (codes[:, -1] == 10).all())


def _distinct(path: str | PathLike[str], names: list[bytes], factors: np.ndarray) -> tuple[Vocabulary, np.ndarray]:
    """Return words and their vectors without blank and repeated words, and warn about the number removed."""
    texts = [name.decode("utf-8", "replace") for name in names]
    replaced = [text for text, name in zip(texts, names, strict=True) if REPLACEMENT in text and text.encode() != name]
    kept = np.array([i for i, text in enumerate(texts) if plain(text)], np.int64)
    words = as_names([texts[i] for i in kept], "word").tolist()
    repeated = _repeated(words)
    said = []
    if repeated:
        said.append(f"{len(repeated):,} appear twice, such as {words[repeated[0]]!r} (the first is kept)")
    if len(kept) < len(texts):
        said.append(f"{len(texts) - len(kept):,} are blank and were skipped")
    if replaced:
        said.append(f"{len(replaced):,} contain bytes that are not UTF-8, replaced by U+FFFD, such as {replaced[0]!r}")
    if said:
        warnings.warn(f"{path}: of {len(texts):,} words {'; '.join(said)}", UserWarning, stacklevel=4)
    if repeated:
        words = list(dict.fromkeys(words))
        kept = np.delete(kept, repeated)
    return Vocabulary(words, "word"), factors if len(kept) == len(factors) else factors[kept]


def _repeated(names: Sequence[str]) -> list[int]:
    """Return the positions of names that occurred before."""
    seen: set[str] = set()
    # set.add returns None, which is false.
    return [i for i, name in enumerate(names) if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
