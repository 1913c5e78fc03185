"""ARFF tables of Mulan and MEKA: labels and features of images in one file, in dense or sparse rows."""

from __future__ import annotations

import math
import re
import warnings
from array import array
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.pairs import pairs_to_csr
from vsenumba.data.annotation.readers.arff_header import (
    TOKEN,
    Attribute,
    attribute_of,
    labels_of,
    truth_of,
    unquoted,
)
from vsenumba.data.annotation.readers.lines import Lines
from vsenumba.data.annotation.readers.options import TableOptions, refuse_options
from vsenumba.data.annotation.readers.row_names import names_of_rows
from vsenumba.data.annotation.readers.tables import IMAGE_COLUMNS
from vsenumba.data.compression import open_decompressed
from vsenumba.data.names import plain
from vsenumba.errors import FileFormatError

NAME = "arff"
DESCRIPTION = "an .arff table of Mulan, with its .xml, or of MEKA"

_BEGINNING = re.compile(rb"(\xef\xbb\xbf)?(\s*(%[^\n\r]*)?[\n\r])*\s*@relation\b", re.IGNORECASE)


def recognises(path: Path, head: bytes) -> bool:
    """Return whether the file starts like an ARFF table, ignoring comments."""
    return _BEGINNING.match(head) is not None


def read(path: Path, options: TableOptions) -> AnnotationSet:
    """Read labels and features.

    Features are float32, or uint8 if all are zeros and ones. Sparse rows become a CSR array. Labels are in the order of
    the XML file, or of the table. If a sparse row omits an attribute, the attribute has the *first* value of its
    declaration.
    """
    refuse_options(path, options)
    with open_decompressed(path) as stream:
        lines = Lines(stream)
        try:
            relation, attributes = _header(lines)
            label_at = labels_of(path, relation, attributes)
            table = _Table(attributes, label_at)
            for line in lines:
                lines.end_record()
                if (row := line.strip()) and row[0] != "%":
                    table.add(row)
        except FileFormatError as error:
            where = f", line {lines.record_start}" if lines.record_start else ""
            raise FileFormatError(f"{path}{where}: {error}") from error
    return table.to_set(path)


def _header(lines: Lines) -> tuple[str, list[Attribute]]:
    relation, attributes = "", []
    for line in lines:
        lines.end_record()
        line = line.strip()
        word = line.split(None, 1)[0].lower() if line else "%"
        if word == "@relation":
            relation = line[len(word) :].strip()
        elif word == "@attribute":
            attributes.append(attribute_of(line, lines.record_start))
        elif word == "@data":
            break
        elif not word.startswith("%"):
            raise FileFormatError(f"{line!r:.60} is neither an attribute nor @data")
    else:
        raise FileFormatError("@data is missing after the attributes")
    first: dict[str, int] = {}
    for attribute in attributes:
        if first.setdefault(attribute.name, attribute.line) != attribute.line:
            where = f"lines {first[attribute.name]} and {attribute.line}"
            raise FileFormatError(f"the attribute {attribute.name!r} is declared twice, in {where}")
    return relation, attributes


class _Table:
    """The data read from the rows: pairs, features and ids."""

    def __init__(self, attributes: Sequence[Attribute], label_at: list[int]) -> None:
        self.attributes = attributes
        self.label_names = [attributes[at].name for at in label_at]
        self._truth = {at: truth_of(attributes[at]) for at in label_at}
        self._label = {at: column for column, at in enumerate(label_at)}
        others = [at for at in range(len(attributes)) if at not in self._label]
        texts = [at for at in others if attributes[at].kind == "text"]
        self._id_at = next((at for at in texts if attributes[at].name.lower().replace(" ", "_") in IMAGE_COLUMNS), None)
        self._unread = frozenset(at for at in texts if at != self._id_at)
        self._place: dict[int, int] = {}
        self._values: dict[int, dict[str, tuple[int, float]]] = {}
        self._spread: list[Attribute] = []
        width = 0
        for at in others:
            if attributes[at].kind == "text":
                continue
            self._place[at] = width
            if attributes[at].kind == "nominal":
                self._values[at], n = _meanings(attributes[at], width)
                width += n
                if n > 1:
                    self._spread.append(attributes[at])
            else:
                width += 1
        self.width = width
        # The attributes whose omission in a sparse row means a value other than zero.
        self._filled = {
            at: attributes[at].left_out
            for at in [*label_at, *self._values]
            if self._means_something(at, attributes[at].left_out)
        }
        self._is_sparse: bool | None = None
        self._rows, self._columns = array("q"), array("q")
        self._ids: list[str] = []
        self.n_rows = 0
        # Dense rows need only the values.
        self._lengths, self._at, self._numbers = array("q"), array("i"), array("f")

    def _means_something(self, at: int, value: str) -> bool:
        return self._truth[at].get(value, False) if at in self._truth else self._values[at][value][1] != 0

    def add(self, row: str) -> None:
        """Add a row of the table."""
        sparse = row.startswith("{")
        if self._is_sparse is None:
            self._is_sparse = sparse
        if sparse != self._is_sparse:
            raise FileFormatError("some rows are sparse, in braces, and others are not")
        cells = _sparse_cells(row, len(self.attributes)) if sparse else _dense_cells(row, len(self.attributes))
        if sparse:
            cells.update((at, value) for at, value in self._filled.items() if at not in cells)
        numbers: dict[int, float] = {}
        for at, value in cells.items():
            if at in self._label:
                if self._has_label(at, value):
                    self._rows.append(self.n_rows)
                    self._columns.append(self._label[at])
            elif at in self._values:
                if value not in self._values[at]:
                    raise FileFormatError(self._not_a_value(at, value))
                place, number = self._values[at][value]
                if number:
                    numbers[place] = number
            elif at in self._place:
                number = self._number(at, value)
                if number:
                    numbers[self._place[at]] = number
            elif at == self._id_at:
                self._ids.append(plain(value))
        if sparse:
            self._lengths.append(len(numbers))
            self._at.extend(numbers)
            self._numbers.extend(numbers.values())
        else:
            self._numbers.extend([numbers.get(place, 0.0) for place in range(self.width)])
        self.n_rows += 1

    def _has_label(self, at: int, value: str) -> bool:
        found = self._truth[at].get(value)
        if found is None:
            raise FileFormatError(self._not_a_value(at, value))
        return found

    def _number(self, at: int, value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            raise FileFormatError(self._not_a_value(at, value)) from None
        if not math.isfinite(number):
            raise FileFormatError(self._not_a_value(at, value))
        return number

    def _not_a_value(self, at: int, value: str) -> str:
        attribute = self.attributes[at]
        if value == "?":
            return f"the value of {attribute.name!r} is missing (?); fill it in, or leave the row out"
        expected = f"one of {', '.join(attribute.values):.60}" if attribute.values else "a finite number"
        return f"{attribute.name!r} is {value!r:.40}, which is not {expected}"

    def to_set(self, path: Path) -> AnnotationSet:
        """Return the set, and warn about assumptions."""
        if not self.n_rows:
            raise FileFormatError(f"{path}: there are no rows after @data")
        self._warn(path)
        n_labels = len(self.label_names)
        indptr, indices = pairs_to_csr(
            np.frombuffer(self._rows, np.int64), np.frombuffer(self._columns, np.int64), self.n_rows, n_labels
        )
        ids = self._ids if self._id_at is not None else names_of_rows(path, self.n_rows)
        return AnnotationSet(indptr, indices, n_labels, ids, self.label_names, self._features())

    def _features(self) -> np.ndarray | sp.csr_array | None:
        if not self.width:
            return None
        binary = len(self._values) == len(self._place) and self._numbers_are_binary()
        numbers = np.frombuffer(self._numbers, np.float32).astype(np.uint8 if binary else np.float32)
        if not self._is_sparse:
            return numbers.reshape(self.n_rows, self.width)
        starts = np.concatenate(([0], np.cumsum(np.frombuffer(self._lengths, np.int64))))
        features = sp.csr_array((numbers, np.frombuffer(self._at, np.int32).copy(), starts), (self.n_rows, self.width))
        features.sort_indices()
        return features

    def _numbers_are_binary(self) -> bool:
        return all(number in (0, 1) for values in self._values.values() for _, number in values.values())

    def _warn(self, path: Path) -> None:
        if self._is_sparse and self._filled:
            first = self.attributes[next(iter(self._filled))]
            warnings.warn(
                f"{path}, line {first.line}: {first.name!r} is declared as {{{','.join(first.values or ())}}}, so its "
                f"missing values in sparse rows mean {first.left_out!r} ({len(self._filled):,} such "
                "attribute(s)); if a missing value should mean 0, put 0 first in the declaration",
                UserWarning,
                stacklevel=2,
            )
        if self._spread:
            warnings.warn(
                f"{path}: {len(self._spread):,} attribute(s) of several values, such as {self._spread[0].name!r}, "
                "were converted to one column of zeros and ones per value",
                UserWarning,
                stacklevel=2,
            )
        if self._unread:
            names = ", ".join(self.attributes[at].name for at in sorted(self._unread))
            warnings.warn(
                f"{path}: the text of {names:.60} was skipped, as text cannot be a feature", UserWarning, stacklevel=2
            )


def _meanings(attribute: Attribute, place: int) -> tuple[dict[str, tuple[int, float]], int]:
    """Return the column and the number for each value, and how many columns they use."""
    values = attribute.values or ()
    if len(values) > 2:
        return {value: (place + i, 1.0) for i, value in enumerate(values)}, len(values)
    try:
        numbers = [float(value) for value in values]
    except ValueError:
        numbers = [float(i) for i in range(len(values))]
    return {value: (place, number) for value, number in zip(values, numbers, strict=True)}, 1


def _sparse_cells(row: str, n_attributes: int) -> dict[int, str]:
    if not row.endswith("}"):
        raise FileFormatError("a sparse row must end with } and cannot have a weight")
    inner = row[1:-1].strip()
    if not inner:
        return {}
    if "'" in inner or '"' in inner:
        tokens = TOKEN.findall(inner)
        parts = [(tokens[i], unquoted(tokens[i + 1])) for i in range(0, len(tokens) - 1, 2)]
    else:
        parts = [(at, value.strip()) for at, _, value in (cell.strip().partition(" ") for cell in inner.split(","))]
    try:
        cells = {int(at): value for at, value in parts}
    except ValueError as error:
        raise FileFormatError(f"each cell of a sparse row must have a number and a value: {error}") from None
    if len(cells) < len(parts):
        raise FileFormatError("a sparse row names an attribute twice")
    if min(cells) < 0 or max(cells) >= n_attributes:
        odd = max(cells) if max(cells) >= n_attributes else min(cells)
        raise FileFormatError(
            f"the row has a value for attribute {odd}, but attributes are numbered from 0 to {n_attributes - 1:,}"
        )
    return cells


def _dense_cells(row: str, n_attributes: int) -> dict[int, str]:
    if "'" in row or '"' in row:
        found = [unquoted(token) for token in TOKEN.findall(row)]
    else:
        found = [cell.strip() for cell in row.split(",")] if "," in row else row.split()
    if len(found) != n_attributes:
        raise FileFormatError(f"{len(found):,} value(s), but the header has {n_attributes:,} attributes")
    return dict(enumerate(found))
