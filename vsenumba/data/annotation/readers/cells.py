"""Table cells with several labels or with none: split as the options say, or rejected if they are ambiguous."""

from __future__ import annotations

import ast
import csv
import json
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from vsenumba.data.names import plain
from vsenumba.errors import FileFormatError, InputError

# Usual separators between labels. Spaces around them are ignored.
_SEPARATORS = (",", ";", "|", "\n", "、", "，", "；")
# Escapes for separators that are hard to type in a shell.
_TYPED = {r"\n": "\n", r"\t": "\t"}
# If more than the share _MOST of cells look like lists, they are hardly single labels. Up to the share _SOME, there is
# no warning, unless a part of a cell is also a label of its own.
_MOST, _SOME = 0.5, 0.1
_BRACKETS = {"[": "]", "(": ")", "{": "}"}
# Texts that programs write into empty cells, and texts in tables with one column per label.
_GAPS = frozenset({"nan", "<na>", "null", "n/a", "#n/a"})
_TRUTHS = frozenset({"0", "1", "0.0", "1.0", "false", "true"})

Divider = Callable[[str], list[str]]


def divider(separator: str) -> Divider:
    """Return a function that splits a cell into labels, for a separator, ``"none"`` or ``"list"``.

    Examples
    --------
    >>> divider(", ")('cat,animal, "New York, NY"')
    ['cat', 'animal', 'New York, NY']
    >>> divider("list")("['cat', 'animal']")
    ['cat', 'animal']
    """
    if not isinstance(separator, str):
        raise InputError(f"separator must be a text, not {separator!r:.60}")
    if separator == "none":
        return lambda cell: [cell]
    if separator == "list":
        return _listed
    if not separator:
        raise InputError("separator is empty; give the text between the labels of a cell, 'list', or 'none'")
    mark = _TYPED.get(separator, separator).strip(" ") or " "

    def divide(cell: str) -> list[str]:
        if '"' in cell and len(mark) == 1 and mark != "\n":
            return next(csv.reader([cell], delimiter=mark, skipinitialspace=True))
        return cell.split(mark)

    return divide


def _listed(cell: str) -> list[str]:
    """Return the labels of a list as JSON, Python or NumPy write it, or of one in brackets without quotes."""
    bare = cell.strip()
    # Read sets as lists, because sets would lose the order.
    in_brackets = f"[{bare[1:-1]}]" if bare[:1] in _BRACKETS and bare[-1:] == _BRACKETS[bare[0]] else bare
    # NumPy writes no commas, and without them Python would join the texts.
    with_commas = re.sub(r"""(?<=['"])\s+(?=['"])""", ", ", in_brackets)
    for read, text in ((json.loads, in_brackets), (ast.literal_eval, with_commas)):
        try:
            found: Any = read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(found, list) and all(isinstance(one, (str, int)) for one in found):
            return [str(one) for one in found]
    if in_brackets[:1] == "[" and not re.search(r"""[][(){}'":]""", in_brackets[1:-1]):
        return in_brackets[1:-1].split(",")
    raise FileFormatError(f'{cell!r:.80} is not a list of labels, such as ["cat", "animal"]')


def check_divided(column: str, separator: str, n_cells: int, n_labels: int) -> None:
    """Warn if no cell contained the separator."""
    if separator not in ("none", "list") and n_labels <= n_cells:
        warnings.warn(
            f"no cell of the column {column!r} contains the separator {separator!r}: each cell was read as one label",
            UserWarning,
            stacklevel=2,
        )


def check_whole(column: str, labels: Mapping[str, int], counts: np.ndarray, *, one_row_an_image: bool) -> None:
    """Reject a column if most of its cells look like lists or are not labels, and warn if only some do.

    A space counts as a separator only if the column has a plural name and each image has one row.

    Parameters
    ----------
    column : str
        The column's name in the header.
    labels : mapping from str
        The distinct cells, each read as one label.
    counts : (n_labels,) int array
        The number of cells with each label.
    one_row_an_image : bool
        Whether each image has one row.
    """
    if _TRUTHS.issuperset(label.casefold() for label in labels):
        raise FileFormatError(
            f"the column {column!r} contains only {' and '.join(labels)}. If the table has one column per label, use "
            "--format one-hot without a label column (in Python format='one-hot'). If these values are the labels, "
            "use --separator none"
        )
    gaps = [label for label in labels if label.casefold() in _GAPS]
    if gaps:
        warnings.warn(
            f"{gaps[0]!r} is a label of {counts[labels[gaps[0]]]:,} images. If it means 'no label', leave "
            "these cells empty",
            UserWarning,
            stacklevel=2,
        )
    seen = dict.fromkeys((*_SEPARATORS, "list", " "), 0)
    spaced, evident = dict.fromkeys(seen, 0), dict.fromkeys(seen, 0)
    examples: dict[str, str] = {}
    for label, count in zip(labels, counts.tolist(), strict=True):
        for mark in _marks_in(label):
            seen[mark] += count
            examples.setdefault(mark, label)
            spaced[mark] += count * (f"{mark} " in label)
            evident[mark] += count * (mark in _SEPARATORS and any(plain(part) in labels for part in label.split(mark)))
    if not (one_row_an_image and column.lower().endswith("s")):
        seen.pop(" ")
    mark, n_lists = max(seen.items(), key=lambda one: one[1])
    n_cells = int(counts.sum())
    if n_lists <= _SOME * n_cells and not evident[mark]:
        return
    separator = f"{mark} " if mark in _SEPARATORS and spaced[mark] * 2 > n_lists else mark
    found = (
        f"{n_lists:,} of {n_cells:,} cells in the column {column!r} look like lists of labels, such as "
        f"{examples[mark]!r:.60}"
    )
    if n_lists > _MOST * n_cells:
        raise FileFormatError(
            f"{found}. Use --separator {separator!r} (in Python separator={separator!r}) to split them, or --separator "
            "none to read each cell as one label"
        )
    warnings.warn(
        f"{found}. Each was read as one label. Use --separator {separator!r} to split them, or "
        "--separator none to hide "
        "this warning",
        UserWarning,
        stacklevel=2,
    )


def _marks_in(label: str) -> list[str]:
    """Return the separators, ``"list"`` or ``" "`` with which a label could be read as a list."""
    if label[:1] in _BRACKETS and label[-1:] == _BRACKETS[label[0]]:
        return ["list"]
    marks = [mark for mark in _SEPARATORS if mark in label and sum(map(bool, map(str.strip, label.split(mark)))) > 1]
    return marks or ([" "] if " " in label else [])
