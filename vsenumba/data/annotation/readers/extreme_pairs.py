"""The extreme-classification repository's newer layout: labels in ``trn_X_Y.txt`` and features in ``trn_X_Xf.txt``."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.readers.options import TableOptions, refuse_options
from vsenumba.data.annotation.readers.parts import chosen_part
from vsenumba.data.annotation.readers.row_names import names_of_rows
from vsenumba.data.annotation.readers.sparse_lines import SparseRows, text_lines, whole_numbers_of
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import FileFormatError, InputError

NAME = "extreme-pairs"
DESCRIPTION = "trn_X_Y.txt of the extreme-classification repository, with trn_X_Xf.txt next to it, or their folder"

_BEGINNING = re.compile(rb"(\xef\xbb\xbf)?[ \t]*\d+[ \t]+\d+[ \t]*\r?\n[ \t]*(\d+:[-+.\d]|\r?\n|$)")
_LABELS = re.compile(r"(.*)_X_Y(\.txt(?:\.\w+)?)")


def recognises(path: Path, head: bytes) -> bool:
    """Return whether the file starts with two numbers followed by cells, or is a folder of such files."""
    return bool(_parts_of(path)) if path.is_dir() else _BEGINNING.match(head) is not None


def read(path: Path, options: TableOptions) -> AnnotationSet:
    """Read labels, named by their numbers, and features, a CSR array of float32, if their file is next to the labels.

    A value of 1 is a label, and a value of 0 is not. If there are other values, `threshold` decides which are labels.
    """
    is_folder = path.is_dir()
    refuse_options(path, options, but=("threshold", "part") if is_folder else ("threshold",))
    if is_folder:
        parts = _parts_of(path)
        path = parts[chosen_part(path, parts, options.part)]
    if "_X_Xf" in path.name:
        raise InputError(
            f"{path} has features, not labels; give the file of labels, {path.name.replace('_X_Xf', '_X_Y')}"
        )
    relevance = _matrix(path)
    if options.threshold is None and not np.isin(relevance.data, (0, 1)).all():
        odd = relevance.data[~np.isin(relevance.data, (0, 1))][0]
        raise InputError(
            f"{path} has values such as {odd:g}; use --threshold X (in Python threshold=X) to read values "
            "of at least X "
            "as labels"
        )
    kept = relevance.data >= (0.5 if options.threshold is None else options.threshold)
    labels = sp.csr_array((kept.astype(np.int8), relevance.indices, relevance.indptr), relevance.shape)
    data = AnnotationSet.from_csr(
        labels, names_of_rows(path, labels.shape[0]), Vocabulary.numbered(labels.shape[1], "label")
    )
    beside = path.with_name(path.name.replace("_X_Y", "_X_Xf"))
    if beside == path or not beside.exists():
        return data
    features = _matrix(beside)
    if features.shape[0] != data.n_images:
        raise FileFormatError(f"{beside} has {features.shape[0]:,} rows, but {path.name} has {data.n_images:,}")
    return data.with_features(features)


def _parts_of(folder: Path) -> dict[str, Path]:
    found = ((_LABELS.fullmatch(one.name), one) for one in sorted(folder.iterdir()))
    return {name[1]: one for name, one in found if name is not None}


def _matrix(path: Path) -> sp.csr_array:
    rows = SparseRows()
    with text_lines(path) as lines:
        _, first = next(lines, (1, ""))
        sizes = whole_numbers_of(first)
        if sizes is None or len(sizes) != 2:
            raise FileFormatError(f"line 1: expected the numbers of rows and columns, not {first!r:.60}")
        for number, line in lines:
            if len(rows) == sizes[0]:
                if line.strip():
                    raise FileFormatError(f"line {number}: there are more rows than the first line says ({sizes[0]:,})")
                continue
            rows.add(line, number)
        if len(rows) != sizes[0]:
            raise FileFormatError(f"{len(rows):,} rows, but the first line says {sizes[0]:,}; the file is truncated")
        return rows.to_csr(sizes[1])
