"""Tables of delimited text: the header, the delimiter and the rows, read in bounded memory."""

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
# The line that Excel reads and writes before the header of a table for other programs.
EXCEL = re.compile(r"sep=(.)[\r\n]*")
# Column names in order of priority. Case does not matter, and spaces and hyphens count as underscores.
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
    """Return whether a file that starts with `head` is text. This includes UTF-16, which raises an error later."""
    return wide_encoding(head) is not None or not any(byte in CONTROL_BYTES for byte in head)


def warn_of_others(header: Sequence[str], found: str, wanted: str | None) -> None:
    """Warn that only one of several usual label columns is read, unless the user named it."""
    others = [name for name in header if name != found and as_column(name) in LABEL_COLUMNS]
    if wanted is None and others:
        warnings.warn(
            f"only {found} of the columns {found}, {', '.join(others):.80} is read; use --label-column to read another",
            UserWarning,
            stacklevel=3,
        )


def is_tag_list(header: Sequence[str]) -> bool:
    """Return whether a table is the list of labels of a tagger, such as ``selected_tags.csv`` of WD14."""
    return {as_column(name) for name in header} >= {"tag_id", "name", "category"}


def as_column(name: str) -> str:
    """Return the name of a column in the form in which it is compared with the usual names.

    Examples
    --------
    >>> as_column("Image ID")
    'image_id'
    """
    return name.lower().replace(" ", "_").replace("-", "_")


def find_column(header: Sequence[str], wanted: str | None, usual: Sequence[str]) -> int | None:
    """Return the position of the requested column, or of the first usual one, or None."""
    if wanted is not None:
        return header.index(wanted) if wanted in header else None
    plain = [as_column(name) for name in header]
    return next((plain.index(name) for name in usual if name in plain), None)


def no_such_column(option: str, wanted: str, header: Sequence[str]) -> InputError:
    """Return the error for a requested column that does not exist."""
    near = near_names(wanted, header, 1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return InputError(f"{option}={wanted!r} is not among the columns of the table: {', '.join(header):.200}{hint}")


class Table:
    """An open table: its header, and its rows, which you can iterate over once.

    Attributes
    ----------
    header : list of str
        The names of the columns.
    delimiter : str
        The delimiter between fields.
    lines : Lines
        The lines of the table.
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
        while self.header and not self.header[-1]:  # each line ends with a delimiter
            self.header.pop()
        lines.end_record()

    def __iter__(self) -> Iterator[list[str]]:
        """Yield the fields of each row, as many as the header has, and skip blank rows."""
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
        """Mark that later messages are about the whole table, not about a line."""
        self.lines.record_start = 0


@contextmanager
def open_table(path: Path, fitness: Callable[[Sequence[str]], int]) -> Iterator[Table]:
    """Open a table, and add the path and the line to errors raised in the ``with`` block.

    Parameters
    ----------
    path : Path
        The file.
    fitness : callable
        A function that returns how many of the expected columns a header has. The delimiter with the most is used.
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
    """Yield the fields of each row. In tables with tabs, quotes are characters unless they enclose a whole field."""
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
    """Return the delimiter with the highest fitness of the header, or with the most columns if that is equal."""

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
