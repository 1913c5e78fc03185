"""Tables of pairs: delimited text with a header, one image and one label a row.

The table is streamed: beside the distinct names, a pair costs 16 bytes, and no line is ever held that is longer than a
megabyte.
"""

from __future__ import annotations

import csv
import re
import warnings
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.pairs import pairs_to_csr
from vsenumba.data.annotation.readers.cells import check_divided, check_whole, divider
from vsenumba.data.annotation.readers.lines import Lines, wide_encoding
from vsenumba.data.annotation.readers.options import TableOptions, refuse_options
from vsenumba.data.compression import open_decompressed
from vsenumba.data.names import plain
from vsenumba.errors import FileFormatError, InputError

NAME = "pairs"
DESCRIPTION = "a .csv or .tsv table in UTF-8 with an image and a label column"
DELIMITERS = ",\t;|"
# What Excel writes before the header of a table for other programs, and reads.
EXCEL = re.compile(r"sep=(.)[\r\n]*")
# A column is found by the first of these that a header has; case, blanks and hyphens do not count.
IMAGE_COLUMNS = (
    *("image", "image_id", "imageid", "image_name", "picture", "photo"),
    *("filename", "file_name", "file", "item", "item_id", "id"),
)
LABEL_COLUMNS = (
    *("label", "label_name", "labelname", "tag", "keyword", "concept", "class", "word"),
    *("labels", "tags", "keywords"),
)
# As in Open Images: 0 where people looked and found that the image does not have the label.
CONFIDENCE = "confidence"
CONTROL_BYTES = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether `head` is text, be it none or UTF-16: `read` says what is wrong with those."""
    return not path.is_dir() and (wide_encoding(head) is not None or not any(byte in CONTROL_BYTES for byte in head))


def read(path: Path, options: TableOptions) -> AnnotationSet:
    """Read a table of pairs; a pair that stands twice counts once, a row without a label is an image without."""
    refuse_options(path, options, but=("image_column", "label_column", "separator"))
    with open_decompressed(path) as stream:
        lines = Lines(stream)
        try:
            return _read_lines(lines, options)
        except FileFormatError as error:
            where = f", line {lines.record_start}" if lines.record_start else ""
            raise FileFormatError(f"{path}{where}: {error}") from error
        except csv.Error as error:
            raise FileFormatError(f"{path}, line {lines.record_start}: not a valid row: {error}") from error


def _read_lines(lines: Lines, options: TableOptions) -> AnnotationSet:
    first = next(lines, None)
    delimiter = None
    if first is not None and (told := EXCEL.fullmatch(first)):
        delimiter, first = told[1], next(lines, None)
    if first is None:
        raise FileFormatError("the file is empty; a header with an image and a label column is expected")
    delimiter = delimiter or _delimiter(first, options)
    lines.push_back(first)
    rows = _rows(lines, delimiter)
    header = [name.strip() for name in next(rows)]
    while header and not header[-1]:  # a delimiter at the end of each line
        header.pop()
    image_at = _column(header, "image", options.image_column, IMAGE_COLUMNS)
    label_at = _column(header, "label", options.label_column, LABEL_COLUMNS)
    if image_at == label_at:
        raise InputError(f"image_column and label_column are both {header[image_at]!r}; they must differ")

    divide = None if options.separator is None else divider(options.separator)
    _warn_of_siblings(header, label_at)
    denies_at = next((at for at, name in enumerate(header) if name.lower() == CONFIDENCE), None)
    images: dict[str, int] = {}
    labels: dict[str, int] = {}
    image_codes, label_codes = array("q"), array("q")
    n_rows = n_empty = n_denied = 0
    lines.end_record()
    for row in rows:
        while len(row) > len(header) and not row[-1].strip():
            row.pop()
        if len(row) != len(header):
            if any(cell.strip() for cell in row):  # a blank line is no row
                raise FileFormatError(_wrong_number(row, len(header), delimiter))
            lines.end_record()
            continue
        image, cell = plain(row[image_at]), plain(row[label_at])
        if not image:
            if not any(other.strip() for other in row):
                lines.end_record()
                continue
            raise FileFormatError("the image is empty; where cells were merged, write it into each row")
        n_rows += 1
        code = images.setdefault(image, len(images))
        if denies_at is not None and _is_zero(row[denies_at]):
            n_denied += 1
            lines.end_record()
            continue
        found = [cell] if divide is None else map(plain, divide(cell) if cell else [])
        n_before = len(label_codes)
        for label in filter(None, found):
            image_codes.append(code)
            label_codes.append(labels.setdefault(label, len(labels)))
        n_empty += len(label_codes) == n_before
        lines.end_record()
    if not label_codes:
        lines.end_record()
        what = "no rows" if not n_rows else f"no label in its {n_rows:,} rows"
        raise FileFormatError(f"the table has a header ({', '.join(header)}) but {what}")
    lines.record_start = 0  # what is said from here on is of all rows
    if options.separator is None:
        counts = np.bincount(np.frombuffer(label_codes, np.int64), minlength=len(labels))
        check_whole(header[label_at], labels, counts, one_row_an_image=len(images) == n_rows)
    else:
        check_divided(header[label_at], options.separator, n_rows - n_empty - n_denied, len(label_codes))
    if n_denied:
        warnings.warn(
            f"{n_denied:,} row(s) are left out: a {header[denies_at or 0]} of 0 says that the image does not have the "
            "label",
            UserWarning,
            stacklevel=2,
        )
    if n_empty:
        warnings.warn(f"{n_empty:,} row(s) have no label: their images are kept without one", UserWarning, stacklevel=2)
    indptr, indices = pairs_to_csr(
        np.frombuffer(image_codes, np.int64), np.frombuffer(label_codes, np.int64), len(images), len(labels)
    )
    return AnnotationSet(indptr, indices, len(labels), images, labels)


def _warn_of_siblings(header: Sequence[str], label_at: int) -> None:
    """Say that of numbered columns, as tag1, tag2, only one is read."""
    stem = header[label_at].rstrip("0123456789")
    others = [name for at, name in enumerate(header) if at != label_at and name.rstrip("0123456789") == stem]
    if others:
        warnings.warn(
            f"of the columns {header[label_at]}, {', '.join(others):.60} only the first is read; write one label into "
            "each row, or all of an image into one cell, with a separator",
            UserWarning,
            stacklevel=3,
        )


def _is_zero(cell: str) -> bool:
    try:
        return float(cell) == 0
    except ValueError:
        return False


def _rows(lines: Lines, delimiter: str) -> Iterator[list[str]]:
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


def _delimiter(line: str, options: TableOptions) -> str:
    """Return the delimiter by which the header has both columns, or else the most columns."""

    def fitness(delimiter: str) -> tuple[int, int]:
        try:
            header = [name.strip() for name in next(csv.reader([line], delimiter=delimiter))]
        except csv.Error:
            return 0, 0
        found = (_find(header, options.image_column, IMAGE_COLUMNS), _find(header, options.label_column, LABEL_COLUMNS))
        return sum(at is not None for at in found), len(header)

    return max(DELIMITERS, key=fitness)


def _find(header: Sequence[str], wanted: str | None, usual: Sequence[str]) -> int | None:
    if wanted is not None:
        return header.index(wanted) if wanted in header else None
    plain = [name.lower().replace(" ", "_").replace("-", "_") for name in header]
    return next((plain.index(name) for name in usual if name in plain), None)


def _column(header: Sequence[str], kind: str, wanted: str | None, usual: Sequence[str]) -> int:
    at = _find(header, wanted, usual)
    if at is not None:
        if header.count(header[at]) > 1:
            raise FileFormatError(f"the header has the column {header[at]!r} twice; rename one of them")
        return at
    found = ", ".join(header)
    if wanted is not None:
        raise InputError(f"{kind}_column={wanted!r} is not among the columns of the table: {found:.200}")
    raise FileFormatError(
        f"no {kind} column among {found:.200}; the first line must name the columns, "
        f"or say which it is with {kind}_column=... (or --{kind}-column on the command line); "
        f"found by itself are {', '.join(usual)}. A table with a column for each label is read in Python, from a data "
        "frame of zeros and ones"
    )


def _wrong_number(row: Sequence[str], expected: int, delimiter: str) -> str:
    others = [repr(other) for other in DELIMITERS if other != delimiter and any(other in field for field in row)]
    hint = f"; it holds {' and '.join(others)}, are the delimiters mixed?" if others else ""
    return f"{len(row)} field(s) where the header has {expected}, by the delimiter {delimiter!r}{hint}"
