"""Tables of names as comma-separated values, to a file or to stdout."""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, Any

import click

from vsenumba.cli import options
from vsenumba.printable import not_a_formula, printable

_BOM = "\ufeff"

output_option = click.option(
    "-o", "--output", type=options.OUTPUT, metavar="FILE.csv", help="Write the table to a file, in UTF-8."
)
excel_option = click.option(
    "--excel",
    is_flag=True,
    help="Write the table for spreadsheets: marked as UTF-8, and with an apostrophe before names that they would take "
    "for formulas.",
)


def write_csv(
    header: Sequence[str], rows: Iterable[tuple[str | float, ...]], output: Path | None, *, excel: bool
) -> int:
    """Write a table; return how many rows it had.

    Parameters
    ----------
    header : sequence of str
        The columns' names.
    rows : iterable of tuples
        Names, whole numbers, and other numbers, which get four decimals; one that is not defined (NaN) is left out.
    output : path or None
        The file or stream; stdout where it is None.
    excel : bool
        Whether it is for a spreadsheet.
    """
    from vsenumba.storage import open_output

    if output is not None:
        with open_output(output, streams=True) as file:
            return _write(header, rows, lambda text: file.write(text.encode()), _shown_on(file), excel)
    return _write(header, rows, sys.stdout.write, _shown_on(sys.stdout), excel)


def _shown_on(stream: IO[Any]) -> Callable[[str], str]:
    """Return how names are written: a terminal must not obey them; a file or another program gets them as they are."""
    return printable if stream.isatty() else str


def _write(
    header: Sequence[str],
    rows: Iterable[tuple[str | float, ...]],
    write: Callable[[str], object],
    shown: Callable[[str], str],
    excel: bool,
) -> int:
    lines = csv.writer(_Lines(write))
    n_rows = 0
    # The header waits for the first row: to find it may fail.
    for row in chain(rows, [None]):
        if n_rows == 0:
            write(_BOM if excel else "")
            lines.writerow(header)
        if row is not None:
            lines.writerow([_name(shown(one), excel) if isinstance(one, str) else _number(one) for one in row])
            n_rows += 1
    return n_rows


def _number(number: float) -> str:
    if isinstance(number, int):
        return str(number)
    return "" if math.isnan(number) else f"{number:.4f}"


def _name(name: str, excel: bool) -> str:
    return not_a_formula(name) if excel else name


class _Lines:
    """Takes the rows of a CSV writer, which quotes a bare CR only where CR and LF end its lines; ends them with LF."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def write(self, row: str) -> None:
        self._write(row.removesuffix("\r\n") + "\n")
