"""Tables of delimited text: the header, the delimiter, and rows as wide as the header, in bounded memory."""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from vsenumba.data.annotation.readers.lines import Lines, wide_encoding
from vsenumba.data.compression import open_decompressed
from vsenumba.errors import FileFormatError, InputError, near_names

DELIMITERS = ",\t;|"
# What Excel writes before the header of a table for other programs, and reads.
EXCEL = re.compile(r"sep=(.)[\r\n]*")
# A column is found by the first of these that a header has; case, blanks and hyphens do not count.
IMAGE_COLUMNS = (
    *("image", "image_id", "imageid", "image_name", "picture", "photo"),
    *("filename", "file_name", "file", "image_path", "filepath", "file_path", "path", "item", "item_id", "id"),
)
LABEL_COLUMNS = (
    *("label", "label_name", "labelname", "tag", "keyword", "concept", "class", "word"),
    *("labels", "tags", "keywords"),
)
CONTROL_BYTES = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))


def is_text(head: bytes) -> bool:
    """Tell whether a file that begins so is text, be it UTF-16, of which its reading says what is wrong."""
    return wide_encoding(head) is not None or not any(byte in CONTROL_BYTES for byte in head)


def warn_of_others(header: Sequence[str], found: str, wanted: str | None) -> None:
    """Say that of several columns with usual names for labels one is read, unless it was asked for."""
    others = [name for name in header if name != found and as_column(name) in LABEL_COLUMNS]
    if wanted is None and others:
        warnings.warn(
            f"only {found} of the columns {found}, {', '.join(others):.80} is read; use --label-column to read another",
            UserWarning,
            stacklevel=3,
        )


def is_tag_list(header: Sequence[str]) -> bool:
    """Tell whether a table is the list of labels that a tagger knows, such as ``selected_tags.csv`` of WD14."""
    return {as_column(name) for name in header} >= {"tag_id", "name", "category"}


def as_column(name: str) -> str:
    """Return the name of a column as it is compared with the usual ones.

    Examples
    --------
    >>> as_column("Image ID")
    'image_id'
    """
    return name.lower().replace(" ", "_").replace("-", "_")


def find_column(header: Sequence[str], wanted: str | None, usual: Sequence[str]) -> int | None:
    """Return where the column stands that was asked for, or the first of the usual ones; None where there is none."""
    if wanted is not None:
        return header.index(wanted) if wanted in header else None
    plain = [as_column(name) for name in header]
    return next((plain.index(name) for name in usual if name in plain), None)


def no_such_column(option: str, wanted: str, header: Sequence[str]) -> InputError:
    """Return the error for a column that was asked for and is not there."""
    near = near_names(wanted, header, 1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return InputError(f"{option}={wanted!r} is not among the columns of the table: {', '.join(header):.200}{hint}")


class Table:
    """A table that is open: its header, and its rows once.

    Attributes
    ----------
    header : list of str
        The names of the columns.
    delimiter : str
        What stands between two of them.
    lines : Lines
        Where the rows come from.
    """

    def __init__(self, lines: Lines, fitness: Callable[[Sequence[str]], int]) -> None:
        self.lines = lines
        first = next(lines, None)
        delimiter = None
        if first is not None and (told := EXCEL.fullmatch(first)):
            delimiter, first = told[1], next(lines, None)
        if first is None:
            raise FileFormatError("the file is empty; expected a header with an image and a label column")
        self.delimiter = delimiter or _delimiter(first, fitness)
        lines.push_back(first)
        self._rows = _fields(lines, self.delimiter)
        self.header = [name.strip() for name in next(self._rows)]
        while self.header and not self.header[-1]:  # a delimiter at the end of each line
            self.header.pop()
        lines.end_record()

    def __iter__(self) -> Iterator[list[str]]:
        """Yield the fields of each row, as many as the header has; rows of nothing but blanks are none."""
        n, end_record = len(self.header), self.lines.end_record
        for row in self._rows:
            while len(row) > n and not row[-1].strip():
                row.pop()
            if len(row) != n:
                if any(cell.strip() for cell in row):
                    raise FileFormatError(_wrong_number(row, n, self.delimiter))
            else:
                yield row
            end_record()

    def say_of_all(self) -> None:
        """Say that messages are about the whole table from here on, not about a line."""
        self.lines.record_start = 0


@contextmanager
def open_table(path: Path, fitness: Callable[[Sequence[str]], int]) -> Iterator[Table]:
    """Open a table; what is raised in the block, as of a wrong value, is said with the path and the line.

    Parameters
    ----------
    path : Path
        The file.
    fitness : callable
        How many of the columns that are looked for a header has: the delimiter with most is taken.
    """
    with open_decompressed(path) as stream:
        lines = Lines(stream)
        try:
            yield Table(lines, fitness)
        except FileFormatError as error:
            where = f", line {lines.record_start}" if lines.record_start else ""
            raise FileFormatError(f"{path}{where}: {error}") from error
        except csv.Error as error:
            raise FileFormatError(f"{path}, line {lines.record_start}: not a valid row: {error}") from error


def _fields(lines: Lines, delimiter: str) -> Iterator[list[str]]:
    """Yield the fields of each row; between tabs a quote is a character, but for one at both ends of a field."""
    if delimiter != "\t":
        yield from csv.reader(lines, delimiter=delimiter, strict=True)
        return
    for row in csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE):
        yield [_unquoted(field) for field in row]


def _unquoted(field: str) -> str:
    inner = field[1:-1].replace('""', "")
    quoted = len(field) > 1 and field[0] == field[-1] == '"' and '"' not in inner
    return field[1:-1].replace('""', '"') if quoted else field


def _delimiter(line: str, fitness: Callable[[Sequence[str]], int]) -> str:
    """Return the delimiter by which the header is fittest, or else has the most columns."""

    def rank(delimiter: str) -> tuple[int, int]:
        try:
            header = [name.strip() for name in next(csv.reader([line], delimiter=delimiter))]
        except csv.Error:
            return 0, 0
        return fitness(header), len(header)

    return max(DELIMITERS, key=rank)


def _wrong_number(row: Sequence[str], expected: int, delimiter: str) -> str:
    others = [repr(other) for other in DELIMITERS if other != delimiter and any(other in field for field in row)]
    hint = f"; the row contains {' and '.join(others)}, so check for mixed delimiters" if others else ""
    return f"{len(row)} field(s), but the header has {expected} (with the delimiter {delimiter!r}){hint}"
