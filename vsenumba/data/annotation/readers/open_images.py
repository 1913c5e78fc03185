"""Open Images: labels by people and machines, published in tables ``ImageID,Source,LabelName,Confidence``.

Labels have codes (MIDs, such as ``/m/01yrx``). Their names are in ``class-descriptions.csv`` next to the table.
"""

from __future__ import annotations

import csv
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.readers import csv_pairs
from vsenumba.data.annotation.readers.lines import Lines
from vsenumba.data.annotation.readers.options import TableOptions, refuse_options
from vsenumba.data.annotation.readers.tables import as_column, open_table
from vsenumba.data.annotation.readers.verdicts import Verdicts
from vsenumba.data.compression import open_decompressed
from vsenumba.data.names import plain
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import FileFormatError

NAME = "open-images"
DESCRIPTION = "Open Images' table ImageID,Source,LabelName,Confidence, with class-descriptions.csv next to it"
COLUMNS = ("imageid", "source", "labelname", "confidence")
#: The lowest score that counts for labels by machines. Most published tables start at this score.
THRESHOLD = 0.5
_DESCRIPTIONS = "*class-descriptions*.csv*"


def recognises(path: Path, head: bytes) -> bool:
    """Return whether the first line has the columns of Open Images."""
    names = {as_column(name.strip().strip('"')) for name in head.decode(errors="replace").partition("\n")[0].split(",")}
    return names >= set(COLUMNS)


def read(path: Path, options: TableOptions) -> AnnotationSet:
    """Read a table, and the names of its labels.

    Labels by people take precedence over labels by machines. A confidence of 0 by people is a verified absence. Labels
    by machines count from the threshold on, and are ignored below it.
    """
    refuse_options(path, options, but=("threshold", "sources"))
    with open_table(path, lambda header: len(set(COLUMNS) & {as_column(name) for name in header})) as table:
        columns = [as_column(name) for name in table.header]
        missing = [name for name in COLUMNS if name not in columns]
        if missing:
            raise FileFormatError(
                f"there is no column {missing[0]} among {', '.join(table.header):.200}; Open Images "
                "tables have the columns "
                "ImageID,Source,LabelName,Confidence"
            )
        image_at, source_at, label_at, score_at = map(columns.index, COLUMNS)
        threshold = THRESHOLD if options.threshold is None else options.threshold
        verdicts = Verdicts(table.header, score_at, source_at, threshold, options.sources, strict=True)
        data = csv_pairs.read_rows(table, image_at, label_at, verdicts, separator="none")
    return _with_names(data, path)


def _with_names(data: AnnotationSet, path: Path) -> AnnotationSet:
    """Return a set with label names instead of codes: ``Name``, or ``Name (MID)`` if several labels share a name."""
    files = sorted(path.parent.glob(_DESCRIPTIONS))
    found: dict[str, str] = {}
    for file in files:
        found = {**_descriptions(file), **found}
    if not files:
        warnings.warn(
            f"there is no class-descriptions.csv next to {path}: labels are named by their codes, such as "
            f"{data.label_names[0]!r}",
            UserWarning,
            stacklevel=2,
        )
        return data
    codes = data.label_names.names.tolist()
    # Count over all described labels, so that a label has the same name in every part of the set.
    often = Counter(found.values())
    often.update(code for code in codes if code not in found)
    names = [code if code not in found else _name(code, found[code], often) for code in codes]
    n_unnamed = sum(code not in found for code in codes)
    if n_unnamed:
        example = next(code for code in codes if code not in found)
        warnings.warn(
            f"{n_unnamed:,} of {len(codes):,} labels have no name in {files[0].name}, such as {example!r}: they are "
            "named by their codes",
            UserWarning,
            stacklevel=2,
        )
    return data._with(data.indptr, data.indices, Vocabulary(names, "label"))


def _name(code: str, name: str, often: Counter[str]) -> str:
    return name if often[name] == 1 else f"{name} ({code})"


def _descriptions(path: Path) -> dict[str, str]:
    """Return the names of labels by their codes. Up to version 3 of Open Images, the file has no header."""
    found: dict[str, str] = {}
    with open_decompressed(path) as stream:
        lines = Lines(stream)
        try:
            for row in csv.reader(lines, strict=True):
                if row and [as_column(cell.strip()) for cell in row] != ["labelname", "displayname"]:
                    _take(row, found)
                lines.end_record()
        except FileFormatError as error:
            raise FileFormatError(f"{path}, line {lines.record_start}: {error}") from error
        except csv.Error as error:
            raise FileFormatError(f"{path}, line {lines.record_start}: not a valid row: {error}") from error
    return found


def _take(row: Sequence[str], found: dict[str, str]) -> None:
    if len(row) != 2:
        raise FileFormatError(f"expected a label's code and name, not {len(row)} field(s)")
    code, name = plain(row[0]), plain(row[1])
    if not code or not name:
        raise FileFormatError("the code or the name of the label is empty")
    if found.setdefault(code, name) != name:
        raise FileFormatError(f"the label {code!r} has two names, {name!r} and {found[code]!r}")
