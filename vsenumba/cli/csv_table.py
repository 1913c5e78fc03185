"""CSV tables, written to a file or to stdout."""

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
    "-o", "--output", type=options.OUTPUT, metavar="FILE.csv", help="Write the table to a CSV file (UTF-8)."
)
excel_option = click.option(
    "--excel",
    is_flag=True,
    help="Write the table for spreadsheets: with a UTF-8 mark, and an apostrophe before names that look like formulas.",
)


def write_csv(
    header: Sequence[str], rows: Iterable[tuple[str | float, ...]], output: Path | None, *, excel: bool
) -> int:
    """Write a table; return its number of rows.

    Parameters
    ----------
    header : sequence of str
        The columns' names.
    rows : iterable of tuples
        Names, whole numbers, and other numbers (written with four decimals; NaN becomes an empty cell).
    output : path or None
        The file or stream; None for stdout.
    excel : bool
        Whether to write for a spreadsheet.
    """
    from vsenumba.storage import open_output

    if output is not None:
        with open_output(output, streams=True) as file:
            return _write(header, rows, lambda text: file.write(text.encode()), _shown_on(file), excel)
    return _write(header, rows, sys.stdout.write, _shown_on(sys.stdout), excel)


def _shown_on(stream: IO[Any]) -> Callable[[str], str]:
    """Return the function that writes names: escaped for a terminal, unchanged for a file or another program."""
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
    # Write the header with the first row, as computing that row may fail.
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
    """Ends the lines of a CSV writer with LF; the writer itself uses CR LF, as it quotes a bare CR only then."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def write(self, row: str) -> None:
        self._write(row.removesuffix("\r\n") + "\n")
