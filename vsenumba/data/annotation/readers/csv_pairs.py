"""Tables of pairs: delimited text with a header, and one image and one label per row.

The table is streamed. Apart from the distinct names, a pair takes 8 bytes. Lines longer than a megabyte are rejected.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.readers.cells import check_divided, check_whole, divider
from vsenumba.data.annotation.readers.options import TableOptions, refuse_options
from vsenumba.data.annotation.readers.pair_rows import PairRows
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
from vsenumba.data.annotation.readers.verdicts import Verdicts
from vsenumba.data.names import plain
from vsenumba.errors import FileFormatError, InputError
from vsenumba.kernels.row_states import ABSENT, LABEL, MACHINE, UNASKED, UNSURE, WEAK

if TYPE_CHECKING:
    from vsenumba.data.annotation.readers.plain_rows import PlainRows

NAME = "pairs"
DESCRIPTION = "a .csv or .tsv table in UTF-8 with an image and a label column"
# As in Open Images, 0 means that people verified that the image does not have the label.
CONFIDENCE = "confidence"
#: After this many rows, about 10 MB, compiled code takes over.
FAST_AFTER = 200_000


def recognises(path: Path, head: bytes) -> bool:
    """Return whether `head` is text. This includes empty and UTF-16 files: `read` reports what is wrong with them."""
    return not path.is_dir() and is_text(head)


def read(path: Path, options: TableOptions) -> AnnotationSet:
    """Read a table of pairs. A repeated pair counts once. A row without a label adds its image without labels."""
    refuse_options(path, options, but=("image_column", "label_column", "separator", "threshold"))

    def fitness(header: Sequence[str]) -> int:
        columns = (options.image_column, IMAGE_COLUMNS), (options.label_column, LABEL_COLUMNS)
        return sum(find_column(header, wanted, usual) is not None for wanted, usual in columns)

    with open_table(path, fitness) as table:
        return _read_table(table, options)


def _read_table(table: Table, options: TableOptions) -> AnnotationSet:
    header = table.header
    if is_tag_list(header) and options.image_column is None:
        raise FileFormatError(
            "this is a tagger's list of labels (selected_tags.csv), which has no images; run the tagger and give the "
            "table or the text files that it writes"
        )
    image_at = _column(header, "image", options.image_column, IMAGE_COLUMNS)
    label_at = _column(header, "label", options.label_column, LABEL_COLUMNS)
    if image_at == label_at:
        raise InputError(f"image_column and label_column are both {header[image_at]!r}; they must differ")

    _warn_of_siblings(header, label_at)
    warn_of_others(header, header[label_at], options.label_column)
    return read_rows(table, image_at, label_at, _verdicts(header, options), options.separator)


def read_rows(table: Table, image_at: int, label_at: int, verdicts: Verdicts, separator: str | None) -> AnnotationSet:
    """Return the set of a table's rows.

    Parameters
    ----------
    table : Table
        The table.
    image_at, label_at : int
        The positions of the columns.
    verdicts : Verdicts
        How to interpret a row.
    separator : str or None
        See `TableOptions`.
    """
    header = table.header
    divide = None if separator is None else divider(separator)
    rows = PairRows()
    fast: PlainRows | None = None
    wait = FAST_AFTER if separator in (None, "none") else -1
    for row in table:
        image, cell = plain(row[image_at]), plain(row[label_at])
        if not image:
            if not any(other.strip() for other in row):
                continue
            raise FileFormatError(
                "the cell of the image is empty; if cells were merged, write the image into every row"
            )
        state = LABEL if verdicts.are_plain else verdicts.of(row)
        if state == UNASKED:
            rows.counts[UNASKED] += 1
        elif state == WEAK or not cell:
            rows.add(image, (), state)
        else:
            rows.add(image, (cell,) if divide is None else list(filter(None, map(plain, divide(cell)))), state)
        wait -= 1
        if not wait:
            if fast is None:
                # Imported here because it imports the compiler, which small tables do not need.
                from vsenumba.data.annotation.readers.plain_rows import PlainRows

                fast = PlainRows(table, image_at, label_at, verdicts, rows)
            wait = fast.go_on()
    verdicts.check_sources()
    if not rows.n_labelled:
        what = "no rows" if not rows.n_rows else f"no label in its {rows.n_rows:,} rows"
        raise FileFormatError(f"the table has a header ({', '.join(header)}) but {what}")
    table.say_of_all()
    if separator is None:
        check_whole(header[label_at], *rows.labels(), one_row_an_image=rows.n_images == rows.n_rows)
    else:
        n_cells = sum(rows.counts[state] for state in (LABEL, UNSURE, MACHINE)) - rows.n_empty
        check_divided(header[label_at], separator, n_cells, rows.n_labelled)
    _say(rows, verdicts, header)
    return rows.annotation_set()


def _verdicts(header: Sequence[str], options: TableOptions) -> Verdicts:
    """Return how to interpret the rows of a table, which may have a score column."""
    score_at = next((at for at, name in enumerate(header) if name.lower() == CONFIDENCE), None)
    if options.threshold is not None and score_at is None:
        raise InputError(
            f"threshold={options.threshold!r} needs a table with a column {CONFIDENCE!r}; this table has the columns "
            f"{', '.join(header):.200}"
        )
    return Verdicts(header, score_at, threshold=options.threshold)


def _say(rows: PairRows, verdicts: Verdicts, header: Sequence[str]) -> None:
    """Warn about how scores were read and about the number of rows without a label."""
    score = header[verdicts.score_at or 0]
    told = {
        WEAK: f"were ignored: their {score} is below {verdicts.threshold or 0:g}; change the limit with --threshold"
    }
    if verdicts.source_at is None:  # in Open Images tables, the meaning is known
        told[ABSENT] = f"have a {score} of 0: they are kept as verified absences"
    if verdicts.threshold is None:
        told[UNSURE] = (
            f"have a {score} below 1 and were read as labels; use --threshold 0.5 to keep only scores from 0.5"
        )
    for state, text in told.items():
        if rows.counts[state]:
            warnings.warn(f"{rows.counts[state]:,} row(s) {text}", UserWarning, stacklevel=3)
    if rows.n_empty:
        warnings.warn(
            f"{rows.n_empty:,} row(s) have no label: their images are kept without labels", UserWarning, stacklevel=3
        )


def _warn_of_siblings(header: Sequence[str], label_at: int) -> None:
    """Warn that only one of several numbered columns, such as tag1 and tag2, is read."""
    stem = header[label_at].rstrip("0123456789")
    others = [name for at, name in enumerate(header) if at != label_at and name.rstrip("0123456789") == stem]
    if others:
        warnings.warn(
            f"only the first of the columns {header[label_at]}, {', '.join(others):.60} is read; write one label per "
            "row, or all labels of an image into one cell with a separator",
            UserWarning,
            stacklevel=3,
        )


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
        f"no {kind} column among {found:.200}. The first line must name the columns; detected names are "
        f"{', '.join(usual)}. Name another column with --{kind}-column (in Python {kind}_column=...). For a table with "
        "one column per label, use --format one-hot (in Python format='one-hot')"
    )
