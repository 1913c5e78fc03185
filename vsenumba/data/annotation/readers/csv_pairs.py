"""Tables of pairs: delimited text with a header, one image and one label a row.

The table is streamed: beside the distinct names, a pair costs 16 bytes, and no line is ever held that is
longer than `LINE_BYTES`.
"""

from __future__ import annotations

import codecs
import csv
from array import array
from collections.abc import Iterator, Sequence
from os import PathLike
from typing import IO

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.pairs import pairs_to_csr
from vsenumba.data.compression import open_decompressed
from vsenumba.errors import FileFormatError, InputError

DESCRIPTION = "a .csv or .tsv table in UTF-8 with an image and a label column"
DELIMITERS = ",\t;|"
LINE_BYTES = 1 << 20
# A column is found by the first of these that a header has; case, blanks and hyphens do not count.
IMAGE_COLUMNS = (
    *("image", "image_id", "imageid", "image_name", "picture", "photo"),
    *("filename", "file_name", "file", "item", "item_id", "id"),
)
LABEL_COLUMNS = (
    *("label", "label_name", "tag", "keyword", "concept", "class", "word"),
    *("labels", "tags", "keywords"),
)
CONTROL_BYTES = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def recognises(head: bytes, name: str) -> bool:
    """Tell whether `head` is text, be it none or UTF-16: `read` says what is wrong with those."""
    return head.startswith(UTF16_MARKS) or not any(byte in CONTROL_BYTES for byte in head)


def read(path: str | PathLike[str], image_column: str | None = None, label_column: str | None = None) -> AnnotationSet:
    """Read a table of pairs; blanks around a field do not count, and a pair that stands twice counts once."""
    with open_decompressed(path) as stream:
        lines = _Lines(stream)
        try:
            return _read_lines(lines, image_column, label_column)
        except FileFormatError as error:
            raise FileFormatError(f"{path}, line {max(lines.record_start, 1)}: {error}") from error
        except csv.Error as error:
            raise FileFormatError(f"{path}, line {lines.record_start}: not a valid row: {error}") from error


def _read_lines(lines: _Lines, image_column: str | None, label_column: str | None) -> AnnotationSet:
    first = next(lines, None)
    if first is None:
        raise FileFormatError("the file is empty; a header with an image and a label column is expected")
    delimiter = _delimiter(first, image_column, label_column)
    lines.push_back(first)
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    header = [name.strip() for name in next(rows)]
    image_at = _column(header, "image", image_column, IMAGE_COLUMNS)
    label_at = _column(header, "label", label_column, LABEL_COLUMNS)
    if image_at == label_at:
        raise InputError(f"image_column and label_column are both {header[image_at]!r}; they must differ")

    images: dict[str, int] = {}
    labels: dict[str, int] = {}
    image_codes, label_codes = array("q"), array("q")
    lines.end_record()
    for row in rows:
        if len(row) != len(header):
            if row:  # a blank line is no row
                raise FileFormatError(_wrong_number(row, len(header), delimiter))
        elif (image := row[image_at].strip()) and (label := row[label_at].strip()):
            image_codes.append(images.setdefault(image, len(images)))
            label_codes.append(labels.setdefault(label, len(labels)))
        else:
            raise FileFormatError(f"the {'label' if image else 'image'} is empty")
        lines.end_record()
    if not image_codes:
        lines.end_record()
        raise FileFormatError(f"the table has a header ({', '.join(header)}) but no rows")
    indptr, indices = pairs_to_csr(
        np.frombuffer(image_codes, np.int64), np.frombuffer(label_codes, np.int64), len(images), len(labels)
    )
    return AnnotationSet(indptr, indices, len(labels), images, labels)


class _Lines(Iterator[str]):
    """The lines of a stream as text, read in bounded memory, and where the current record began."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._number = 0
        self._record_bytes = 0
        self._pushed_back: str | None = None
        self.record_start = 0

    def __next__(self) -> str:
        if self._pushed_back is not None:
            line, self._pushed_back = self._pushed_back, None
            return line
        raw = self._stream.readline(LINE_BYTES + 1)
        if not raw:
            raise StopIteration
        self._number += 1
        if not self._record_bytes:
            self.record_start = self._number
        # Counted over the lines of a record: a quote that is never closed would make one of the whole file.
        self._record_bytes += len(raw)
        if self._record_bytes > LINE_BYTES:
            raise FileFormatError(
                f"the line, or the quoted field that begins in it, is longer than {LINE_BYTES:,} bytes"
            )
        if self._number == 1:
            if raw.startswith(UTF16_MARKS):
                raise FileFormatError("the file is UTF-16; save it as UTF-8")
            raw = raw.removeprefix(codecs.BOM_UTF8)
        try:
            line = raw.decode()
        except UnicodeDecodeError as error:
            self.record_start = self._number
            raise FileFormatError(f"byte {error.start + 1} (0x{raw[error.start]:02x}) is not UTF-8") from error
        if "\0" in line:
            self.record_start = self._number
            raise FileFormatError("the line holds a NUL character, which text does not")
        return line

    def push_back(self, line: str) -> None:
        self._pushed_back = line

    def end_record(self) -> None:
        self._record_bytes = 0


def _delimiter(line: str, image_column: str | None, label_column: str | None) -> str:
    """Return the delimiter by which the header has both columns, or else the most columns."""

    def fitness(delimiter: str) -> tuple[int, int]:
        try:
            header = [name.strip() for name in next(csv.reader([line], delimiter=delimiter))]
        except csv.Error:
            return 0, 0
        found = (_find(header, image_column, IMAGE_COLUMNS), _find(header, label_column, LABEL_COLUMNS))
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
        return at
    found = ", ".join(header)
    if wanted is not None:
        raise InputError(f"{kind}_column={wanted!r} is not among the columns of the table: {found:.200}")
    raise FileFormatError(
        f"no {kind} column among {found:.200}; the first line must name the columns, "
        f"or say which it is with {kind}_column=... (or vsenumba data import --{kind}-column); "
        f"found by itself are {', '.join(usual)}"
    )


def _wrong_number(row: Sequence[str], expected: int, delimiter: str) -> str:
    others = [repr(other) for other in DELIMITERS if other != delimiter and any(other in field for field in row)]
    hint = f"; it holds {' and '.join(others)}, are the delimiters mixed?" if others else ""
    return f"{len(row)} field(s) where the header has {expected}, by the delimiter {delimiter!r}{hint}"
