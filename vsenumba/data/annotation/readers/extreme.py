"""Text files of the extreme-classification repository.

The first line is ``points features labels``. The rows are ``label,label number:value ...``.
"""

from __future__ import annotations

import re
from array import array
from pathlib import Path

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.pairs import pairs_to_csr
from vsenumba.data.annotation.readers.options import TableOptions, refuse_options
from vsenumba.data.annotation.readers.row_names import names_of_rows
from vsenumba.data.annotation.readers.sparse_lines import CELL, SparseRows, text_lines, whole_numbers_of
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import FileFormatError

NAME = "extreme"
DESCRIPTION = "a text of the extreme-classification repository, with features"

_BEGINNING = re.compile(rb"(\xef\xbb\xbf)?[ \t]*\d+[ \t]+\d+[ \t]+\d+[ \t]*\r?\n(\d+(,\d+)*)?[ \t]*(\d+:|\r?\n|$)")


def recognises(path: Path, head: bytes) -> bool:
    """Return whether the file starts with three numbers, followed by labels and cells."""
    return _BEGINNING.match(head) is not None


def read(path: Path, options: TableOptions) -> AnnotationSet:
    """Read labels, named by their numbers, and features, a CSR array of float32.

    A row that starts with a space has no labels.
    """
    refuse_options(path, options)
    rows = SparseRows()
    images, labels = array("q"), array("q")
    with text_lines(path) as lines:
        _, first = next(lines, (1, ""))
        sizes = whole_numbers_of(first)
        if sizes is None or len(sizes) != 3:
            raise FileFormatError(f"line 1: expected the numbers of points, features and labels, not {first!r:.60}")
        n_points, n_features, n_labels = sizes
        for number, line in lines:
            if len(rows) == n_points:
                if line.strip():
                    raise FileFormatError(f"line {number}: there are more rows than the first line says ({n_points:,})")
                continue
            names, cells = split_row(line)
            for label in labels_in(names, number):
                if label >= n_labels:
                    raise FileFormatError(
                        f"line {number}: label {label} does not exist; the {n_labels:,} labels are numbered from 0"
                    )
                images.append(len(rows))
                labels.append(label)
            rows.add(cells, number)
        if len(rows) != n_points:
            raise FileFormatError(f"{len(rows):,} rows, but the first line says {n_points:,}; the file is truncated")
        features = rows.to_csr(n_features)
    indptr, indices = pairs_to_csr(np.frombuffer(images, np.int64), np.frombuffer(labels, np.int64), n_points, n_labels)
    names_of_labels = Vocabulary.numbered(n_labels, "label")
    return AnnotationSet(indptr, indices, n_labels, names_of_rows(path, n_points), names_of_labels, features)


def split_row(line: str) -> tuple[str, str]:
    """Return the labels and the cells of a row.

    Examples
    --------
    >>> split_row("3,5 0:1 2:.5"), split_row(" 0:1"), split_row("3")
    (('3,5', '0:1 2:.5'), ('', ' 0:1'), ('3', ''))
    """
    if CELL.match(line):
        return "", line
    labels, _, cells = line.partition(" ")
    return labels.strip(), cells


def labels_in(text: str, line: int) -> list[int]:
    """Return the label numbers in a comma-separated list.

    Raises
    ------
    FileFormatError
        If an entry is not a whole number.
    """
    if not text:
        return []
    words = text.split(",")
    if not all(map(str.isdecimal, words)):
        odd = next(word for word in words if not word.isdecimal())
        raise FileFormatError(f"line {line}: {odd!r:.60} is not the number of a label")
    return [int(word) for word in words]
