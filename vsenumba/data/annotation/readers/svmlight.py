"""Text files of svmlight and LIBSVM with several labels per row: ``label,label number:value ... # remark``."""

from __future__ import annotations

import re
from array import array
from pathlib import Path

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.pairs import pairs_to_csr
from vsenumba.data.annotation.readers.extreme import labels_in, split_row
from vsenumba.data.annotation.readers.options import TableOptions, refuse_options
from vsenumba.data.annotation.readers.row_names import names_of_rows
from vsenumba.data.annotation.readers.sparse_lines import SparseRows, text_lines
from vsenumba.errors import FileFormatError, InputError

NAME = "svmlight"
DESCRIPTION = "a text of svmlight with comma-separated labels, with features"

_BEGINNING = re.compile(rb"(\xef\xbb\xbf)?(\s*#[^\n]*\n|\s*\n)*(\d+(,\d+)*)?[ \t]+\d+:[-+.\d]")


def recognises(path: Path, head: bytes) -> bool:
    """Return whether the first row, without remarks, has such labels and cells."""
    return _BEGINNING.match(head) is not None


def read(path: Path, options: TableOptions) -> AnnotationSet:
    """Read labels, named by their numbers, and features, a CSR array of float32.

    If a feature has the number 0, features are numbered from 0. Otherwise `first_number` must tell whether they are
    numbered from 0 or 1.
    """
    refuse_options(path, options, but=("first_number",))
    rows = SparseRows()
    images, numbers = array("q"), array("q")
    with text_lines(path) as lines:
        for number, line in lines:
            row = line.partition("#")[0]
            if not row.strip():
                continue
            names, cells = split_row(row.rstrip())
            if "qid:" in cells:
                raise FileFormatError(f"line {number}: rows of queries (qid) are not supported")
            for label in labels_in(names, number):
                images.append(len(rows))
                numbers.append(label)
            rows.add(cells, number)
        if not len(rows):
            raise FileFormatError("there are no rows")
        first = _first_number(path, rows, options.first_number)
        features = rows.to_csr(max(rows.most_column + 1 - first, 1), first)
    labels, columns = np.unique(np.frombuffer(numbers, np.int64), return_inverse=True)
    indptr, indices = pairs_to_csr(np.frombuffer(images, np.int64), columns, len(rows), len(labels))
    names_of_labels = [str(label) for label in labels]
    return AnnotationSet(indptr, indices, len(labels), names_of_rows(path, len(rows)), names_of_labels, features)


def _first_number(path: Path, rows: SparseRows, said: int | None) -> int:
    least = rows.least_column
    if said is None and least > 0:
        raise InputError(
            f"{path}: no feature has the number 0, so features may be numbered from 0 or from 1; use --first-number 1 "
            "(in Python first_number=1), which is usual, or 0"
        )
    if said == 1 and least == 0 and rows.most_column >= 0:
        raise FileFormatError("a feature has the number 0, so features are not numbered from 1; use --first-number 0")
    return said or 0
