"""A table of suggestions for many images: CSV, Parquet, or a folder of Parquet files."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from vsenumba.cli import csv_table, options
from vsenumba.cli.output import note
from vsenumba.errors import InputError
from vsenumba.printable import counted

if TYPE_CHECKING:
    from vsenumba.data import Match

# Number of images per Parquet row group, and per part in a folder.
_IMAGES = 65_536

HEADER = ("image", "label", "score")


class Destination(NamedTuple):
    """The target of a table: a file, or a folder of parts."""

    path: Path
    is_folder: bool

    @property
    def is_parquet(self) -> bool:
        """Whether the table is written as Parquet."""
        return self.is_folder or self.path.suffix.lower() == ".parquet"


class DestinationPath(options.OutputPath):
    """The name of a file to write, or of a folder if it ends in a slash."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Distinguish a file from a folder."""
        if isinstance(value, Destination):
            return value
        if str(value).endswith(("/", os.sep)):
            return Destination(Path(value), is_folder=True)
        return Destination(super().convert(value, param, ctx), is_folder=False)


output_option = click.option(
    "-o",
    "--output",
    type=DestinationPath(path_type=Path),
    metavar="FILE|FOLDER/",
    help="Write the table to a CSV file (UTF-8), a .parquet file, or a folder of Parquet files.",
)


def check_destination(output: Destination | None, inputs: Sequence[str | Path], *, excel: bool) -> None:
    """Check, before the work starts, that a table can be written; see `options.check_output`."""
    if output is None:
        return
    if output.is_parquet:
        from vsenumba.data.parquet_tables import check_parquet

        if excel:
            raise click.UsageError("--excel works with CSV only; leave it out or write a .csv file")
        check_parquet(output.path)
    if not output.is_folder:
        options.check_output(output.path, *inputs, streams=not output.is_parquet)
        return
    # Readers of a folder read all its parts, so parts of an earlier run must not be there.
    with suppress(FileNotFoundError, NotADirectoryError):
        if any(output.path.glob("*.parquet")):
            raise InputError(f"{output.path} already contains Parquet files; choose another folder")
    options.prepare_folder(output.path, [_part(0)], force=False)


def write_suggestions(
    suggestions: Iterable[tuple[str, list[Match]]], output: Destination | None, *, excel: bool
) -> None:
    """Write the suggestions for images as they are computed.

    Parameters
    ----------
    suggestions : iterable of tuple of str and list of Match
        The result of `Annotator.annotate_each`.
    output : Destination or None
        The file or folder; None for CSV on stdout.
    excel : bool
        Whether to write CSV for a spreadsheet.
    """
    counting = _Counting(suggestions)
    if output is None or not output.is_parquet:
        csv_table.write_csv(HEADER, _rows(counting), output and output.path, excel=excel)
    else:
        from vsenumba.data.parquet_tables import write_parquet

        if not output.is_folder:
            write_parquet(output.path, _batches(counting))
        else:
            for number, batch in enumerate(_batches(counting)):
                write_parquet(output.path / _part(number), [batch])
    if output is not None:
        note(f"saved {output.path}: {counted(counting.n_rows, 'suggestion')} for {counted(counting.n_images, 'image')}")


class _Counting:
    """Yields suggestions, and counts them and the images that have any."""

    def __init__(self, suggestions: Iterable[tuple[str, list[Match]]]) -> None:
        self._suggestions = suggestions
        self.n_images = self.n_rows = 0

    def __iter__(self) -> Iterator[tuple[str, list[Match]]]:
        for image, matches in self._suggestions:
            self.n_images += bool(matches)
            self.n_rows += len(matches)
            yield image, matches


def _rows(suggestions: Iterable[tuple[str, list[Match]]]) -> Iterator[tuple[str, str, float]]:
    return ((image, label, score) for image, matches in suggestions for label, score in matches)


def _batches(suggestions: Iterable[tuple[str, list[Match]]]) -> Iterator[dict[str, Any]]:
    """Yield batches of columns; for no images, yield one empty batch."""
    import numpy as np

    left = iter(suggestions)
    some = list(itertools.islice(left, _IMAGES))
    while True:
        rows = list(_rows(some))
        images, labels, scores = ([row[at] for row in rows] for at in range(3))
        yield dict(zip(HEADER, (images, labels, np.array(scores, np.float32)), strict=True))
        some = list(itertools.islice(left, _IMAGES))
        if not some:
            return


def _part(number: int) -> str:
    return f"part-{number:05}.parquet"
