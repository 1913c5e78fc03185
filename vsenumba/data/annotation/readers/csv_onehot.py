"""Wide tables: one row per image and one column per label, with truth values or scores in the cells.

The table is streamed. Apart from the names, a pair takes 16 bytes.
"""

from __future__ import annotations

import csv
import warnings
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import compress, islice
from pathlib import Path

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.pairs import pairs_to_csr
from vsenumba.data.annotation.readers import csv_pairs
from vsenumba.data.annotation.readers.options import TableOptions, refuse_options
from vsenumba.data.annotation.readers.tables import (
    IMAGE_COLUMNS,
    LABEL_COLUMNS,
    Table,
    as_column,
    find_column,
    is_tag_list,
    is_text,
    no_such_column,
    open_table,
)
from vsenumba.data.annotation.readers.truths import Truths, is_truth, number_in
from vsenumba.data.names import plain
from vsenumba.errors import FileFormatError

NAME = "one-hot"
DESCRIPTION = "a table with a row for each image and a column for each label"
# The number of rows to check in order to detect the format.
_SAMPLE = 32
# The values that a table with a single label column may have.
_PLAIN_TRUTHS = frozenset({"0", "1", "0.0", "1.0", "true", "false"})


def _n_columns(header: Sequence[str]) -> int:
    return len(header)


def recognises(path: Path, head: bytes) -> bool:
    """Return whether a table has no label column, and most of its columns contain truth values or numbers."""
    if path.is_dir() or not is_text(head):
        return False
    try:
        with open_table(path, _n_columns) as table:
            header, rows = table.header, list(islice(table, _SAMPLE))
    except (FileFormatError, csv.Error):
        return False  # the reader of pairs then reports what is wrong
    if len(header) < 2 or not rows or is_tag_list(header) or find_column(header, None, LABEL_COLUMNS) is not None:
        return False
    columns = [[cell for cell in cells if cell.strip()] for cells in zip(*rows, strict=True)]
    if not any(columns[1:]):
        return False
    if len(columns) == 2:
        return all(cell.strip().casefold() in _PLAIN_TRUTHS for cell in columns[1])
    value_like = [all(is_truth(cell) or number_in(cell) is not None for cell in cells) for cells in columns]
    images_are_elsewhere = all(map(is_truth, columns[0])) and sum(value_like) == len(columns) - 1
    return images_are_elsewhere or sum(value_like[1:]) * 2 > len(columns) - 1


def read(path: Path, options: TableOptions) -> AnnotationSet:
    """Read a wide table. If `options` name a label column, read it as a table of pairs."""
    if options.label_column is not None or options.separator is not None:
        return csv_pairs.read(path, options)
    refuse_options(path, options, but=("image_column", "threshold"))
    with open_table(path, _n_columns) as table:
        return _read_table(table, options)


def _read_table(table: Table, options: TableOptions) -> AnnotationSet:
    header = table.header
    image_at = _image_column(header, options.image_column)
    names = [plain(name) for at, name in enumerate(header) if at != image_at]
    _check_names(header, names)
    truths = Truths(options.threshold)
    images: dict[str, int] = {}
    image_codes, label_codes = array("q"), array("q")
    columns = range(len(names))
    n_rows = 0
    for row in table:
        image = plain(row.pop(image_at))
        if not image:
            if not any(cell.strip() for cell in row):
                continue
            raise FileFormatError("the cell of the image is empty; every row needs an image")
        n_rows += 1
        code = images.setdefault(image, len(images))
        distinct = set(row)
        try:
            truths.learn(distinct)
        except FileFormatError:
            raise _named(truths, names, row) from None
        found = list(compress(columns, map(truths.is_true, row)))
        label_codes.extend(found)
        image_codes.extend([code] * len(found))
    if not n_rows:
        raise FileFormatError(f"the table has a header ({', '.join(header):.200}) but no rows")
    table.say_of_all()
    truths.check_all()
    if options.image_column is None:
        _check_ids(header[0], images)
    if len(images) < n_rows:
        warnings.warn(
            f"{n_rows - len(images):,} row(s) repeat an image of another row: their labels were merged",
            UserWarning,
            stacklevel=2,
        )
    indptr, indices = pairs_to_csr(
        np.frombuffer(image_codes, np.int64), np.frombuffer(label_codes, np.int64), len(images), len(names)
    )
    return AnnotationSet(indptr, indices, len(names), images, names)


def _named(truths: Truths, names: Sequence[str], row: Sequence[str]) -> FileFormatError:
    """Return the error for the first invalid cell of a row, with its column."""
    for name, cell in zip(names, row, strict=True):
        try:
            truths.learn([cell])
        except FileFormatError as error:
            hint = f". If it has the images, use --image-column {name}" if as_column(name) in IMAGE_COLUMNS else ""
            return FileFormatError(f"the column {name!r:.80} {error}{hint}")
    raise AssertionError("every cell has a meaning")


def _image_column(header: Sequence[str], wanted: str | None) -> int:
    if wanted is None:
        return 0
    if wanted not in header:
        raise no_such_column("image_column", wanted, header)
    return header.index(wanted)


def _check_names(header: Sequence[str], names: Sequence[str]) -> None:
    """Raise an error if a column has no name, or two columns have the same name."""
    if not names:
        raise FileFormatError(f"the table has only one column, {header[0]!r}; expected one column per label")
    name, n = Counter(names).most_common(1)[0]
    if n > 1 and name:
        raise FileFormatError(f"the header has the column {name!r:.80} {n:,} times; merge or rename them")
    if "" in names:
        raise FileFormatError(f"one of the {len(header):,} columns has no name; name it after its label")


def _check_ids(column: str, images: Iterable[str]) -> None:
    """Raise an error if the first column has values like the others, and warn if it has an unusual name."""
    if not column or as_column(column) in IMAGE_COLUMNS:
        return
    if all(map(is_truth, images)):
        raise FileFormatError(
            f"the first column, {column!r}, has values like the others; name the column with the images with "
            "--image-column (in Python image_column=...)"
        )
    warnings.warn(
        f"reading the table as one column per label, with the images in the first column, {column!r:.80}; use "
        "--image-column to name another column",
        UserWarning,
        stacklevel=3,
    )
