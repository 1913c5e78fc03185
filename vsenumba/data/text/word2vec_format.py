"""word2vec's files of word vectors: a line with the two extents, then a word and its values, as text or as floats."""

from __future__ import annotations

import re
import warnings
from os import PathLike
from typing import BinaryIO

import numpy as np

from vsenumba.data.compression import open_decompressed
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import FileFormatError, InputError
from vsenumba.storage import open_output

# Longer words, and a header longer than this, are a sign of another format.
_LONGEST_WORD = 10_000

_BLOCK = 1 << 20


def write_word2vec(path: str | PathLike[str], words: Vocabulary, factors: np.ndarray, *, binary: bool = False) -> None:
    """Write names and their vectors.

    Parameters
    ----------
    path : str or path
        The file; whole or not at all. A pipe or a device is written through.
    words : Vocabulary
        One per row. A blank ends a word in these formats, so that blanks within names become underscores.
    factors : (n, k) float32 array
        The vectors.
    binary : bool
        Whether the values are little-endian float32 instead of text; of text, nine digits give every value back.

    Warns
    -----
    UserWarning
        If names that differ in blanks and underscores alone become the same.
    """
    names = [re.sub(r"\s", "_", name) for name in words]
    if len(set(names)) < len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        warnings.warn(f"several {words.kind}s are called {twice!r} once blanks are underscores", stacklevel=3)
    rows = np.ascontiguousarray(factors, dtype="<f4")
    with open_output(path, streams=True) as file:
        file.write(f"{len(names)} {rows.shape[1]}\n".encode())
        for name, row in zip(names, rows, strict=True):
            values = row.tobytes() if binary else " ".join(f"{value:.9g}" for value in row.tolist()).encode()
            file.write(name.encode() + b" " + values + b"\n")


def read_word2vec(path: str | PathLike[str]) -> tuple[Vocabulary, np.ndarray]:
    """Read names and their vectors, as text or binary, recognised by the first row.

    Returns
    -------
    words : Vocabulary
        The names.
    factors : (n, k) float32 array
        Their vectors.

    Raises
    ------
    InputError
        If there is no such file.
    FileFormatError
        If the header is not two whole numbers, a row is missing, short, or holds what is no finite number.
    """
    with open_decompressed(path) as stream:
        n_words, n_factors = _read_header(path, stream.readline(_LONGEST_WORD))
        try:
            factors = np.empty((n_words, n_factors), dtype=np.float32)
        except (MemoryError, ValueError) as error:
            raise FileFormatError(
                f"{path}: the header announces {n_words:,} words of {n_factors:,} values, more than memory holds"
            ) from error
        # A row of text is a line of so many fields; of one in binary a line feed may be anywhere.
        first = stream.readline(64 * n_factors + _LONGEST_WORD)
        read = _read_text if _is_text(first) else _read_binary
        words = read(path, stream, first, factors)
    if not np.isfinite(factors).all():
        row = int(np.flatnonzero(~np.isfinite(factors).all(axis=1))[0])
        raise FileFormatError(f"{path}: the vector of word {row + 1}, {words[row]!r}, holds NaN or an infinity")
    try:
        return Vocabulary(words, "word"), factors
    except InputError as error:
        raise FileFormatError(f"{path}: {error}") from error


def _read_header(path: str | PathLike[str], line: bytes) -> tuple[int, int]:
    fields = line.split()
    if len(fields) != 2 or not all(field.isdigit() for field in fields) or b"0" in fields:
        raise FileFormatError(
            f"{path}: line 1 must be the number of words and of values, such as '3000 100', not {line[:60]!r}"
        )
    return int(fields[0]), int(fields[1])


def _is_text(row: bytes) -> bool:
    """Tell whether what follows the first word is text, right or wrong; floats of 32 bits have other bytes."""
    values = row.rstrip().partition(b" ")[2]
    return len(values) > 0 and all(32 <= byte < 127 or byte == 9 for byte in values)


def _read_text(path: str | PathLike[str], stream: BinaryIO, first: bytes, factors: np.ndarray) -> list[str]:
    words, line = [], first
    n_factors = factors.shape[1]
    for row in range(len(factors)):
        name, *values = line.rstrip().rsplit(b" ", n_factors)
        if len(values) != n_factors:
            found = f"{len(line.split())} fields" if line else "the end of the file"
            raise FileFormatError(f"{path}: line {row + 2} must be a word and {n_factors} values, found is {found}")
        try:
            factors[row] = values
        except ValueError as error:
            raise FileFormatError(f"{path}: line {row + 2}: {error}") from error
        words.append(name.decode("utf-8", "replace"))
        line = stream.readline()
    if line.strip():
        raise FileFormatError(f"{path}: line 1 announces {len(factors)} words, but there are more")
    return words


def _read_binary(path: str | PathLike[str], stream: BinaryIO, first: bytes, factors: np.ndarray) -> list[str]:
    words = []
    held, at = first, 0
    size = 4 * factors.shape[1]
    for row in range(len(factors)):
        while (blank := held.find(b" ", at)) < 0 or blank + size >= len(held):
            block = stream.read(_BLOCK)
            if not block or (blank < 0 and len(held) - at > _LONGEST_WORD):
                raise FileFormatError(f"{path}: cut off, or not word2vec's, at word {row + 1} of {len(factors)}")
            held, at = held[at:] + block, 0
        # Some writers end a row with a line feed, some do not.
        words.append(held[at:blank].lstrip(b"\n").decode("utf-8", "replace"))
        at = blank + 1 + size
        factors[row] = np.frombuffer(held[blank + 1 : at], "<f4")
    if held[at:].strip(b"\n") or stream.read(1):
        raise FileFormatError(f"{path}: line 1 announces {len(factors)} words, but there is more")
    return words
