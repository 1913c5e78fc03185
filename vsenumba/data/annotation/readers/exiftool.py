"""The output of ``exiftool -csv`` and ``exiftool -j``: the keywords in pictures."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.readers.cells import divider
from vsenumba.data.annotation.readers.gathering import Gathering
from vsenumba.data.annotation.readers.hierarchies import Hierarchies
from vsenumba.data.annotation.readers.json_stream import open_json, starts_json
from vsenumba.data.annotation.readers.options import TableOptions, refuse_options
from vsenumba.data.annotation.readers.tables import is_text, no_such_column, open_table
from vsenumba.data.compression import HEAD_BYTES, open_decompressed
from vsenumba.errors import FileFormatError

NAME = "exiftool"
DESCRIPTION = "keywords of pictures as 'exiftool -csv' or 'exiftool -j' writes them"
_SOURCE = "SourceFile"
_CSV_HEAD = re.compile(rb'(\xef\xbb\xbf)?"?SourceFile"?[,;\t|\r\n]')
FIELDS = ("Keywords", "Subject", "HierarchicalSubject", "TagsList")
# The default separator between the values of a list, without -sep.
_JOINT = ", "
# Usual values of -sep.
_OTHER_JOINTS = (";", "|", "##", "//")


def recognises(path: Path, head: bytes) -> bool:
    """Return whether `head` is a table whose first column is SourceFile, or JSON with that key."""
    if starts_json(head):
        return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[") and b'"SourceFile"' in head
    return not path.is_dir() and is_text(head) and _CSV_HEAD.match(head) is not None


def read(path: Path, options: TableOptions) -> AnnotationSet:
    """Read the union of all keyword fields, or only the field that ``label_column`` names."""
    with open_decompressed(path) as stream:
        is_json = starts_json(stream.read(HEAD_BYTES))
    refuse_options(path, options, but=("label_column",) if is_json else ("label_column", "separator"))
    return _read_json(path, options) if is_json else _read_csv(path, options)


def _read_json(path: Path, options: TableOptions) -> AnnotationSet:
    reading = _Reading(options.label_column)
    with open_json(path) as stream:
        for record in stream.elements():
            if not isinstance(record, dict) or not isinstance(record.get(_SOURCE), str):
                raise FileFormatError(f"expected a record with a {_SOURCE}, not {record!r:.60}")
            reading.take_columns(record)
            found = ((field, _listed(record[key])) for key, field in reading.fields.items() if key in record)
            reading.add(record[_SOURCE], found)
        stream.line = 0
        return reading.annotation_set()


def _listed(value: Any) -> list[str]:
    """Return the keywords of a field. The field is a list, or a single text or number."""
    found = value if isinstance(value, list) else [value]
    for one in found:
        if not isinstance(one, str):
            raise FileFormatError(f"expected a keyword, not {one!r:.60}")
    return found


def _read_csv(path: Path, options: TableOptions) -> AnnotationSet:
    reading = _Reading(options.label_column)
    joints = _Joints(options.separator)
    with open_table(path, lambda header: int(_SOURCE in header)) as table:
        if _SOURCE not in table.header:
            raise FileFormatError(f"no column {_SOURCE} among {', '.join(table.header):.200}")
        source_at = table.header.index(_SOURCE)
        reading.take_columns(table.header)
        columns = [(table.header.index(name), field) for name, field in reading.fields.items()]
        for row in table:
            reading.add(row[source_at], [(field, joints.divide(row[at])) for at, field in columns])
        table.say_of_all()
        joints.check()
        return reading.annotation_set()


class _Joints:
    """Split the cells of a table, each of which is a joined list."""

    def __init__(self, separator: str | None) -> None:
        self._divide = None if separator is None else divider(separator)
        self._n_cells = self._n_joined = 0
        self._others: Counter[str] = Counter()
        self._example = ""

    def divide(self, cell: str) -> list[str]:
        if not cell.strip():
            return []
        if self._divide is not None:
            return self._divide(cell)
        self._n_cells += 1
        parts = cell.split(_JOINT)
        if len(parts) > 1:
            self._n_joined += 1
            self._example = self._example or cell
        else:
            self._others.update(mark for mark in _OTHER_JOINTS if mark in cell.strip(mark))
        return parts

    def check(self) -> None:
        """Raise an error if cells seem to use a different separator; otherwise warn that cells were split."""
        for mark, n in self._others.most_common(1):
            if n * 2 > self._n_cells:
                raise FileFormatError(
                    f"{n:,} of {self._n_cells:,} cells contain {mark!r}. If you ran exiftool with -sep {mark!r}, use "
                    f"--separator {mark!r} (in Python separator={mark!r}); otherwise use --separator {_JOINT!r}"
                )
        if self._n_joined:
            warnings.warn(
                f"{self._n_joined:,} of {self._n_cells:,} cells, such as {self._example!r:.60}, were split at "
                f"{_JOINT!r}, the default separator of exiftool. If you ran exiftool with -sep, use --separator",
                UserWarning,
                stacklevel=2,
            )


class _Reading:
    """The keywords read so far, and the fields they come from."""

    def __init__(self, wanted: str | None) -> None:
        self._wanted = wanted
        self._seen: dict[str, None] = {}
        self._gathering = Gathering(wanted or " or ".join(FIELDS))
        self._hierarchies = Hierarchies()
        self.fields: dict[str, str] = {}

    def take_columns(self, names: Iterable[str]) -> None:
        """Register columns or keys. For each with keywords, `fields` gets its name without the group."""
        for name in names:
            if name in self._seen:
                continue
            self._seen[name] = None
            field = name.rpartition(":")[2]
            if (self._wanted is None and field in FIELDS) or self._wanted in (name, field):
                self.fields[name] = field

    def add(self, source: str, found: Iterable[tuple[str, Iterable[str]]]) -> None:
        levels = self._hierarchies.levels
        self._gathering.add(
            source.removeprefix("./"),
            [one for field, keywords in found for kw in keywords for one in levels(field, kw)],
        )

    def annotation_set(self) -> AnnotationSet:
        if not self.fields and self._wanted is not None:
            raise no_such_column("label_column", self._wanted, list(self._seen))
        if not self.fields:
            raise FileFormatError(
                f"no keyword field among {', '.join(self._seen):.200}; run exiftool with "
                f"{' '.join(f'-{field}' for field in FIELDS)}, or name a field with --label-column"
            )
        self._hierarchies.warn()
        return self._gathering.annotation_set()
