"""Tables of pairs: delimited text with a header, one image and one label a row.

The table is streamed: beside the distinct names, a pair costs 16 bytes, and no line is ever held that is longer than a
megabyte.
"""

from __future__ import annotations

import warnings
from array import array
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.pairs import pairs_to_csr
from vsenumba.data.annotation.readers.cells import check_divided, check_whole, divider
from vsenumba.data.annotation.readers.options import TableOptions, refuse_options
from vsenumba.data.annotation.readers.tables import (
    IMAGE_COLUMNS,
    LABEL_COLUMNS,
    Table,
    find_column,
    is_tag_list,
    is_text,
    no_such_column,
    open_table,
    warn_of_others,
)
from vsenumba.data.names import plain
from vsenumba.errors import FileFormatError, InputError

NAME = "pairs"
DESCRIPTION = "a .csv or .tsv table in UTF-8 with an image and a label column"
# As in Open Images: 0 where people looked and found that the image does not have the label.
CONFIDENCE = "confidence"


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether `head` is text, be it none or UTF-16: `read` says what is wrong with those."""
    return not path.is_dir() and is_text(head)


def read(path: Path, options: TableOptions) -> AnnotationSet:
    """Read a table of pairs; a pair that stands twice counts once, a row without a label is an image without."""
    refuse_options(path, options, but=("image_column", "label_column", "separator"))

    def fitness(header: Sequence[str]) -> int:
        columns = (options.image_column, IMAGE_COLUMNS), (options.label_column, LABEL_COLUMNS)
        return sum(find_column(header, wanted, usual) is not None for wanted, usual in columns)

    with open_table(path, fitness) as table:
        return _read_table(table, options)


def _read_table(table: Table, options: TableOptions) -> AnnotationSet:
    header = table.header
    if is_tag_list(header) and options.image_column is None:
        raise FileFormatError(
            "this is the list of labels that a tagger knows (selected_tags.csv), with no images; run the tagger, and "
            "give the table or the text files that it writes"
        )
    image_at = _column(header, "image", options.image_column, IMAGE_COLUMNS)
    label_at = _column(header, "label", options.label_column, LABEL_COLUMNS)
    if image_at == label_at:
        raise InputError(f"image_column and label_column are both {header[image_at]!r}; they must differ")

    divide = None if options.separator is None else divider(options.separator)
    _warn_of_siblings(header, label_at)
    warn_of_others(header, header[label_at], options.label_column)
    denies_at = next((at for at, name in enumerate(header) if name.lower() == CONFIDENCE), None)
    images: dict[str, int] = {}
    labels: dict[str, int] = {}
    image_codes, label_codes = array("q"), array("q")
    n_rows = n_empty = n_denied = 0
    for row in table:
        image, cell = plain(row[image_at]), plain(row[label_at])
        if not image:
            if not any(other.strip() for other in row):
                continue
            raise FileFormatError("the image is empty; where cells were merged, write it into each row")
        n_rows += 1
        code = images.setdefault(image, len(images))
        if denies_at is not None and _is_zero(row[denies_at]):
            n_denied += 1
            continue
        found = [cell] if divide is None else map(plain, divide(cell) if cell else [])
        n_before = len(label_codes)
        for label in filter(None, found):
            image_codes.append(code)
            label_codes.append(labels.setdefault(label, len(labels)))
        n_empty += len(label_codes) == n_before
    if not label_codes:
        what = "no rows" if not n_rows else f"no label in its {n_rows:,} rows"
        raise FileFormatError(f"the table has a header ({', '.join(header)}) but {what}")
    table.say_of_all()
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


def _column(header: Sequence[str], kind: str, wanted: str | None, usual: Sequence[str]) -> int:
    at = find_column(header, wanted, usual)
    if at is not None:
        if header.count(header[at]) > 1:
            raise FileFormatError(f"the header has the column {header[at]!r} twice; rename one of them")
        return at
    found = ", ".join(header)
    if wanted is not None:
        raise no_such_column(f"{kind}_column", wanted, header)
    raise FileFormatError(
        f"no {kind} column among {found:.200}; the first line must name the columns, "
        f"or say which it is with {kind}_column=... (or --{kind}-column on the command line); "
        f"found by itself are {', '.join(usual)}. If there is a column for each label, say --format one-hot (in Python "
        "format='one-hot')"
    )
