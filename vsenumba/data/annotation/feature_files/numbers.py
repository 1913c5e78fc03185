"""Text tables of numbers: one row per image, optionally with a header and a column of ids."""

from __future__ import annotations

import csv
import re
from array import array
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vsenumba.data.annotation.feature_files.table import FeatureTable, is_id_name
from vsenumba.data.annotation.readers.sparse_lines import text_lines
from vsenumba.data.names import plain
from vsenumba.errors import FileFormatError, InputError

DESCRIPTION = "a .csv or .tsv table of numbers, with a column of ids"

_DELIMITERS = (",", "\t", ";", " ")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?(nan|inf|infinity)", re.IGNORECASE)
_CONTROL = bytes(set(range(32)) - set(b"\t\n\v\f\r"))
# The number of lines to parse together.
_BLOCK = 1024


def recognises(path: Path, head: bytes) -> bool:
    """Return whether the file is text."""
    return bool(head) and not any(byte in _CONTROL for byte in head)


def read(path: Path, dataset: str | None) -> FeatureTable:
    """Read the numbers as float32, and the ids from a column with an id name or from a first column of texts."""
    table: _Numbers | None = None
    with text_lines(path) as lines:
        for number, line in lines:
            if not line.strip():
                continue
            if table is None:
                delimiter = _delimiter(line)
                cells = _cells(line, delimiter)
                # pandas writes an empty name for its index, and numbers as the names of unnamed columns.
                header = not cells[0] or not any(map(_NUMBER.fullmatch, cells))
                table = _Numbers(cells, delimiter, has_header=header)
                if header:
                    continue
            table.add(line, number)
        if table is None or not table.n_rows:
            raise FileFormatError("the file has no rows of numbers")
        table.parse()
    return table.to_table(path)


class _Numbers:
    """The rows of a table."""

    def __init__(self, first: Sequence[str], delimiter: str, *, has_header: bool) -> None:
        self._delimiter = delimiter
        self._names = list(first) if has_header else []
        self._n_cells = len(first)
        named = [at for at, name in enumerate(self._names) if is_id_name(name) or not (name or at)]
        self._id_at: int | None = named[0] if named else None
        if not has_header and _NUMBER.fullmatch(first[0]) is None:
            self._id_at = 0
        self._rows: list[list[str]] = []
        self._lines: list[int] = []
        self._values = array("f")
        self.ids: list[str] = []
        self.n_rows = 0

    def add(self, line: str, number: int) -> None:
        """Add a line."""
        cells = _cells(line, self._delimiter)
        if len(cells) != self._n_cells:
            raise FileFormatError(f"line {number}: {len(cells):,} cell(s), but the first line has {self._n_cells:,}")
        if not self.n_rows and self._id_at is None and _NUMBER.fullmatch(cells[0]) is None:
            self._id_at = 0  # the header gives this column another name
        if self._id_at is not None:
            self.ids.append(plain(cells.pop(self._id_at)))
            if not self.ids[-1]:
                raise FileFormatError(f"line {number}: the id is empty")
        self._rows.append(cells)
        self._lines.append(number)
        self.n_rows += 1
        if len(self._rows) == _BLOCK:
            self.parse()

    def parse(self) -> None:
        """Convert the rows added so far to numbers."""
        try:
            with np.errstate(over="ignore"):
                block = np.array(self._rows, dtype=np.float64).astype(np.float32)
        except ValueError:
            raise self._fault() from None
        self._values.frombytes(np.ascontiguousarray(block).tobytes())
        self._rows, self._lines = [], []

    def _fault(self) -> FileFormatError:
        for cells, line in zip(self._rows, self._lines, strict=True):
            for at, cell in enumerate(cells):
                try:
                    float(cell)
                except ValueError:
                    named = [name for i, name in enumerate(self._names) if i != self._id_at]
                    where = f"the column {named[at]!r}" if named else f"number {at}"
                    return FileFormatError(f"line {line}: {where} is {cell!r:.40}, which is not a number")
        return FileFormatError("a cell is not a number")

    def to_table(self, path: Path) -> FeatureTable:
        """Return the table, and raise an error if the first column may be ids but the header does not say so."""
        width = self._n_cells - (self._id_at is not None)
        if not width:
            raise FileFormatError(f"{path}: the table has a column of ids but no columns of numbers")
        values = np.frombuffer(self._values, np.float32).reshape(self.n_rows, width)
        if self._id_at is None and not self._names and self.n_rows > 2 and width > 1:
            first, others = values[:, 0], values[:, 1:]
            counted = len(np.unique(first)) == self.n_rows and (first == np.trunc(first)).all()
            if counted and (others != np.trunc(others)).any():
                raise InputError(
                    f"{path}: cannot tell whether the first column holds ids: it has a different whole "
                    "number in every row. If it does, "
                    "add a header that names it 'id'; otherwise, add a header with another name"
                )
        return FeatureTable(values, self.ids if self._id_at is not None else None)


def _cells(line: str, delimiter: str) -> list[str]:
    if delimiter == " ":
        return line.split()
    if '"' in line:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))]
    return [cell.strip() for cell in line.split(delimiter)]


def _delimiter(line: str) -> str:
    return max(_DELIMITERS, key=lambda one: len(_cells(line, one)) if one != " " else len(line.split()) - 0.5)
