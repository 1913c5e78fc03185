"""A table of a report: columns of names or of numbers, and how their values are shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from markupsafe import Markup

from vsenumba.printable import printable

Value = str | float | None


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    name : str
        Its header.
    digits : int or None
        The decimals of its numbers: 0 for counts, which get commas; None for a column of names.
    """

    name: str
    digits: int | None = None

    @property
    def is_number(self) -> bool:
        """Whether the column holds numbers."""
        return self.digits is not None

    def shown(self, value: Value) -> str:
        """Return a value as people read it; one that is not defined is a dash.

        Examples
        --------
        >>> Column("mrr", 3).shown(0.70449), Column("images", 0).shown(5654), Column("mrr", 3).shown(None)
        ('0.704', '5,654', '–')
        """
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            return "–"
        return printable(value) if isinstance(value, str) else f"{value:,.{self.digits or 0}f}"

    def sort_key(self, value: Value) -> str:
        """Return what the page sorts a number by; empty where it is not defined."""
        if value is None or isinstance(value, str) or not math.isfinite(value):
            return ""
        return f"{value:.9g}"


@dataclass(frozen=True)
class Table:
    """A table with a caption.

    Attributes
    ----------
    key : str
        Its name in the page, of letters and hyphens.
    caption : str
        What it shows.
    columns : sequence of Column
        The columns.
    rows : sequence of sequence of str, float or None
        A value for each column.
    samples : sequence of Markup or None
        A sample of each row's curve in the figures; none by default.
    """

    key: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]
    samples: Sequence[Markup | None] = ()

    kind: ClassVar[str] = "table"

    def shown(self) -> list[list[str]]:
        """Return the text of every cell."""
        return [[one.shown(value) for one, value in zip(self.columns, row, strict=True)] for row in self.rows]

    def cells(self) -> list[list[dict[str, Any]]]:
        """Return what the template needs of every cell."""
        return [
            [
                {"text": column.shown(value), "number": column.is_number, "key": column.sort_key(value)}
                for column, value in zip(self.columns, row, strict=True)
            ]
            for row in self.rows
        ]
