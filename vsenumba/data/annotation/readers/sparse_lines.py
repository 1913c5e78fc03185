"""Text rows of ``number:value``, in the formats of svmlight and the extreme-classification repository."""

from __future__ import annotations

import re
import warnings
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from vsenumba.data.annotation.readers.lines import Lines
from vsenumba.data.compression import open_decompressed
from vsenumba.errors import FileFormatError

_CELLS = re.compile(r"(?:\s*\d{1,10}:[^\s:]+)*\s*")
#: The start of a row whose first cell is ``number:value``.
CELL = re.compile(r"\s*\d{1,10}:")
# The number of lines to parse together.
_BLOCK = 4096
_MOST_COLUMNS = 2**31 - 1


class SparseRows:
    """Rows of a sparse matrix, added as text and parsed in batches."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._lines: list[int] = []
        self._lengths, self._columns, self._values = array("q"), array("i"), array("f")

    def __len__(self) -> int:
        return len(self._lengths) + len(self._texts)

    def add(self, cells: str, line: int) -> None:
        """Add the cells of the row in a line. An empty text has no cells."""
        self._texts.append(cells)
        self._lines.append(line)
        if len(self._texts) == _BLOCK:
            self._parse()

    def _parse(self) -> None:
        for cells, line in zip(self._texts, self._lines, strict=True):
            if _CELLS.fullmatch(cells) is None:
                raise FileFormatError(f"line {line}: {cells.strip()!r:.60} is not a list of number:value")
            self._lengths.append(cells.count(":"))
        numbers = _numbers(" ".join(self._texts).replace(":", " "))
        if numbers is None or not np.isfinite(numbers).all() or numbers[::2].max(initial=0) > _MOST_COLUMNS:
            raise self._fault()
        self._columns.frombytes(numbers[::2].astype(np.int32).tobytes())
        with np.errstate(over="ignore"):
            self._values.frombytes(numbers[1::2].astype(np.float32).tobytes())
        self._texts, self._lines = [], []

    def _fault(self) -> FileFormatError:
        for cells, line in zip(self._texts, self._lines, strict=True):
            for cell in cells.split():
                at, _, value = cell.partition(":")
                found = _numbers(f"{at} {value}")
                if found is None or len(found) != 2 or not np.isfinite(found).all() or found[0] > _MOST_COLUMNS:
                    return FileFormatError(f"line {line}: {cell!r:.60} is not a whole number and a finite value")
        return FileFormatError("a row is not a list of number:value")

    @property
    def least_column(self) -> int:
        """The smallest column number, or 0 if there are no cells."""
        self._parse()
        return int(np.frombuffer(self._columns, np.int32).min(initial=_MOST_COLUMNS)) if self._columns else 0

    @property
    def most_column(self) -> int:
        """The largest column number, or -1 if there are no cells."""
        self._parse()
        return int(np.frombuffer(self._columns, np.int32).max(initial=-1))

    def to_csr(self, width: int, first_number: int = 0) -> sp.csr_array:
        """Return the matrix, float32, without explicit zeros.

        Raises
        ------
        FileFormatError
            If a column number is out of range, or appears twice in a row.
        """
        self._parse()
        columns = np.frombuffer(self._columns, np.int32) - np.int32(first_number)
        starts = np.concatenate(([0], np.cumsum(np.frombuffer(self._lengths, np.int64))))
        odd = np.flatnonzero((columns < 0) | (columns >= width))
        if len(odd):
            row = int(np.searchsorted(starts, odd[0], side="right")) - 1
            raise FileFormatError(
                f"row {row} has the number {columns[odd[0]] + first_number}; numbers go from {first_number} to "
                f"{width - 1 + first_number:,}"
            )
        matrix = sp.csr_array((np.frombuffer(self._values, np.float32), columns, starts), (len(self), width))
        matrix.sort_indices()
        twice = np.flatnonzero(np.diff(matrix.indices) == 0)
        twice = twice[~np.isin(twice + 1, starts)]
        if len(twice):
            row = int(np.searchsorted(starts, twice[0], side="right")) - 1
            raise FileFormatError(f"row {row} has the number {matrix.indices[twice[0]] + first_number} twice")
        matrix.eliminate_zeros()
        return matrix


def _numbers(text: str) -> np.ndarray | None:
    """Return the numbers in a text, or None if it contains anything else."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return np.fromstring(text, np.float64, sep=" ")
        except (DeprecationWarning, ValueError):
            return None


def whole_numbers_of(line: str) -> list[int] | None:
    """Return the whole numbers in a line, or None if it contains anything else.

    Examples
    --------
    >>> whole_numbers_of("3 5"), whole_numbers_of("3 5:1")
    ([3, 5], None)
    """
    words = line.split()
    return [int(word) for word in words] if words and all(map(str.isdecimal, words)) else None


@contextmanager
def text_lines(path: Path) -> Iterator[Iterator[tuple[int, str]]]:
    """Open a text file for its line numbers and lines without line endings, and name the file in errors."""
    with open_decompressed(path) as stream:
        lines = Lines(stream)

        def numbered() -> Iterator[tuple[int, str]]:
            try:
                for line in lines:
                    lines.end_record()
                    yield lines.record_start, line.rstrip("\r\n")
            except FileFormatError as error:
                raise FileFormatError(f"line {lines.record_start}: {error}") from error

        try:
            yield numbered()
        except FileFormatError as error:
            raise FileFormatError(f"{path}: {error}") from error
