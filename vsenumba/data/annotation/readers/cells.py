"""Cells of a table that hold several labels: taken apart as the reader is told, or asked about."""

from __future__ import annotations

import ast
import csv
import json
import warnings
from collections.abc import Callable
from typing import Any

from vsenumba.errors import FileFormatError, InputError

# What people write between labels; blanks around it do not count.
_SEPARATORS = (",", ";", "|")
# More cells than this share look like lists: they are hardly single labels. Fewer than the other are not worth a word.
_MOST, _SOME = 0.5, 0.1

Divider = Callable[[str], list[str]]


def divider(separator: str) -> Divider:
    """Return what takes a cell apart, by a separator, ``"none"`` or ``"list"``.

    Examples
    --------
    >>> divider(", ")('cat,animal, "New York, NY"')
    ['cat', 'animal', 'New York, NY']
    >>> divider("list")("['cat', 'animal']")
    ['cat', 'animal']
    """
    if separator == "none":
        return lambda cell: [cell]
    if separator == "list":
        return _listed
    if not separator:
        raise InputError("separator is empty; give what stands between the labels of a cell, 'list', or 'none'")
    mark = separator.strip() or " "

    def divide(cell: str) -> list[str]:
        if '"' in cell and len(mark) == 1:
            return next(csv.reader([cell], delimiter=mark, skipinitialspace=True))
        return cell.split(mark)

    return divide


def _listed(cell: str) -> list[str]:
    for read in (json.loads, ast.literal_eval):
        try:
            found: Any = read(cell)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(found, (list, tuple)) and all(isinstance(one, (str, int)) for one in found):
            return [str(one) for one in found]
    raise FileFormatError(f'{cell!r:.80} is not a list of labels, such as ["cat", "animal"]')


class Cells:
    """Counts which cells look like lists, while a table is read with a cell as one label.

    Parameters
    ----------
    column : str
        The column's name in the header.
    """

    def __init__(self, column: str) -> None:
        self._column = column
        self._n = 0
        self._counts = dict.fromkeys((*_SEPARATORS, "list", " "), 0)
        self._examples: dict[str, str] = {}
        self._spaced = dict.fromkeys(_SEPARATORS, 0)

    def add(self, cell: str) -> None:
        """Count a cell."""
        self._n += 1
        for mark in self._seen_in(cell):
            self._counts[mark] += 1
            self._examples.setdefault(mark, cell)
            if mark in self._spaced:
                self._spaced[mark] += f"{mark} " in cell

    def _seen_in(self, cell: str) -> list[str]:
        if cell.startswith("[") and cell.endswith("]"):
            return ["list"]
        marks = [mark for mark in _SEPARATORS if mark in cell and sum(map(bool, map(str.strip, cell.split(mark)))) > 1]
        return marks or ([" "] if " " in cell else [])

    def check(self, *, one_row_an_image: bool) -> None:
        """Refuse a column most of whose cells look like lists, and say so of one with some.

        Blanks are taken for separators only in a column that is named in the plural and has one row for each image.
        """
        counts = dict(self._counts)
        if not (one_row_an_image and self._column.lower().endswith("s")):
            counts.pop(" ")
        mark, count = max(counts.items(), key=lambda one: one[1])
        if count <= _SOME * self._n:
            return
        separator = f"{mark} " if self._spaced.get(mark, 0) * 2 > count else mark
        found = (
            f"{count:,} of {self._n:,} cells in the column {self._column!r} look like lists of labels, such as "
            f"{self._examples[mark]!r:.60}"
        )
        if count > _MOST * self._n:
            raise FileFormatError(
                f"{found}; say --separator {separator!r} (in Python separator={separator!r}) to take them apart, or "
                "--separator none to take a cell as one label"
            )
        warnings.warn(
            f"{found}; each is taken as one label: --separator {separator!r} takes them apart, --separator none says "
            "that this is meant",
            UserWarning,
            stacklevel=2,
        )
