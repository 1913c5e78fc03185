"""Options for the outputs of suggestions for pictures: sheets to look at, a table, XMP sidecars."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from vsenumba.cli import csv_table, options
from vsenumba.cli.output import note, say
from vsenumba.errors import InputError
from vsenumba.printable import counted, printable

if TYPE_CHECKING:
    from vsenumba.sheets import Suggested
    from vsenumba.sidecars import SidecarChange

F = TypeVar("F", bound=Callable[..., Any])

# Show at most this many problems, as they are often alike.
_N_NAMED = 5


class Wanted(NamedTuple):
    """The outputs that a command line asks for; none by default."""

    sheet: Path | None = None
    html: Path | None = None
    csv: Path | None = None
    xmp: bool = False
    write: bool = False
    undo: bool = False

    @property
    def files(self) -> list[Path]:
        """The files to write."""
        return [one for one in (self.sheet, self.html, self.csv) if one is not None]

    def __bool__(self) -> bool:
        """Return whether any output is wanted."""
        return bool(self.files) or self.xmp


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    context.meta[f"{__name__}.{parameter.name}"] = value


_OPTIONS = (
    click.option(
        "--sheet",
        type=options.OUTPUT,
        metavar="FILE.png",
        expose_value=False,
        callback=_remember,
        help="Draw a contact sheet of the pictures with their suggestions (.png, .svg or .pdf).",
    ),
    click.option(
        "--html",
        type=options.OUTPUT,
        metavar="FILE.html",
        expose_value=False,
        callback=_remember,
        help="Write the pictures and suggestions to one HTML file that works offline.",
    ),
    click.option(
        "--csv",
        type=options.OUTPUT,
        metavar="FILE.csv",
        expose_value=False,
        callback=_remember,
        help="Write a CSV table with the columns image,label,score (UTF-8).",
    ),
    click.option(
        "--xmp",
        is_flag=True,
        expose_value=False,
        callback=_remember,
        help="Preview the tags to add to XMP sidecars (x.jpg.xmp next to x.jpg); add them with --write.",
    ),
    click.option(
        "--write",
        is_flag=True,
        expose_value=False,
        callback=_remember,
        help="With --xmp: write the sidecars. Pictures are never changed.",
    ),
    click.option(
        "--undo",
        is_flag=True,
        expose_value=False,
        callback=_remember,
        help="With --xmp: remove the tags that vsenumba added, and nothing else.",
    ),
)


def sheet_options(command: F) -> F:
    """Add the options; `wanted` returns their values."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def wanted() -> Wanted:
    """Return the values of the options that `sheet_options` adds."""
    meta = click.get_current_context().meta
    asked = Wanted(**{name: meta[f"{__name__}.{name}"] for name in Wanted._fields})
    for name in ("write", "undo"):
        if getattr(asked, name) and not asked.xmp:
            raise click.UsageError(f"--{name} requires --xmp")
    if asked.undo and asked.files:
        raise click.UsageError("--undo cannot be combined with --sheet, --html or --csv")
    return asked


def check_sheets(asked: Wanted, *inputs: str | Path) -> None:
    """Check, before the work starts, that the files can be written and that none of them is an input."""
    if asked.sheet is not None:
        from vsenumba.plotting.save import check_ending

        check_ending(asked.sheet)
    if asked.html is not None:
        from vsenumba.sheets import check_html_ending

        check_html_ending(asked.html)
    for one in asked.files:
        options.check_output(one, *inputs, streams=one == asked.csv)
    for one, other in combinations(asked.files, 2):
        if one.resolve() == other.resolve():
            raise click.UsageError(f"{one} is given for two of --sheet, --html and --csv; use different files")


def write_sheets(
    suggested: Iterable[Suggested],
    *,
    sheet: Path | None = None,
    html: Path | None = None,
    csv: Path | None = None,
    xmp: bool = False,
    write: bool = False,
    excel: bool = False,
    title: str = "Suggested tags",
) -> int:
    """Write pictures with their suggestions to the wanted outputs, and report the files.

    Parameters
    ----------
    suggested : iterable of Suggested
        The pictures; read once, one at a time.
    sheet, html, csv : path, optional
        The files to write.
    xmp, write : bool
        Whether to add the suggestions to sidecars; without `write`, the tags are only listed.
    excel : bool
        Whether the table is for a spreadsheet; see `csv_table.write_csv`.
    title : str
        The title of the sheets.

    Returns
    -------
    int
        The number of pictures.

    Raises
    ------
    InputError
        If a file cannot be written, or is one of the pictures.
    """
    from vsenumba.sheets import contact_sheet, html_sheet
    from vsenumba.sidecars import Sidecars, tag_sidecar

    outputs = [one for one in (sheet, html, csv) if one is not None]
    n_shown = n_pictures = 0
    changes = _Changes("added" if write else "would add")
    sidecars = Sidecars()
    with ExitStack() as stack:
        draw = stack.enter_context(contact_sheet(sheet, title)) if sheet is not None else None
        add = stack.enter_context(html_sheet(html, title)) if html is not None else None

        def rows() -> Iterator[tuple[str, str, float]]:
            nonlocal n_pictures, n_shown
            for one in suggested:
                _check_is_none_of(one.picture, outputs)
                n_pictures += 1
                if draw is not None:
                    n_shown, _ = draw(one)
                if add is not None:
                    add(one)
                if xmp:
                    names = [match.name for match in one.suggestions]
                    change = tag_sidecar(one.picture, names, write=write, sidecars=sidecars)
                    changes.note(change, shown=not write)
                for label, score in one.suggestions:
                    yield one.image, label, score

        if csv is not None:
            n_rows = csv_table.write_csv(("image", "label", "score"), rows(), csv, excel=excel)
        else:
            n_rows = sum(1 for _ in rows())
    pictures = counted(n_pictures, "picture")
    if sheet is not None:
        note(f"saved {sheet}: {pictures if n_shown == n_pictures else f'the first {n_shown:,} of {pictures}'}")
    if html is not None:
        note(f"saved {html}: {pictures}")
    if csv is not None:
        note(f"saved {csv}: {counted(n_rows, 'suggestion')} for {pictures}")
    if xmp:
        changes.sum_up("to")
        if not write:
            note("no sidecar was changed; run again with --write to change them")
    return n_pictures


def undo_sheets(places: Iterable[str | Path]) -> None:
    """Remove the tags that vsenumba added to sidecars, and report how many."""
    from vsenumba.sidecars import undo_sidecars

    changes = _Changes("removed")
    for change in undo_sidecars(map(Path, places), write=True):
        changes.note(change, shown=False)
    changes.sum_up("from")


class _Changes:
    """Counts the changes to sidecars and reports the problems."""

    def __init__(self, verb: str) -> None:
        self._verb = verb
        self._n_sidecars = self._n_whole = self._n_tags = 0
        self._problems: list[str] = []
        self._n_problems = 0

    def note(self, change: SidecarChange, *, shown: bool) -> None:
        """Count a change, and print it if `shown`."""
        if change.problem:
            self._n_problems += 1
            self._problems = [*self._problems, change.problem][:_N_NAMED]
            return
        self._n_sidecars += bool(change.tags or change.whole_file)
        self._n_whole += change.whole_file
        self._n_tags += len(change.tags)
        if shown and change.tags:
            say(described(change))

    def sum_up(self, preposition: str) -> None:
        """Print the totals."""
        for problem in self._problems:
            note(f"skipped: {problem}")
        if self._n_problems > len(self._problems):
            note(f"skipped: {self._n_problems - len(self._problems):,} more")
        if self._n_problems and not self._n_sidecars:
            raise InputError(f"no sidecar could be changed; {self._n_problems:,} had problems")
        whole = ""
        if self._n_whole:
            whole = f" ({self._n_whole:,} {'new' if preposition == 'to' else 'deleted'})"
        tags, sidecars = counted(self._n_tags, "tag"), counted(self._n_sidecars, "sidecar")
        hint = "; undo with 'vsenumba sidecars FOLDER --undo'" if self._verb == "added" and self._n_tags else ""
        note(f"{self._verb} {tags} {preposition} {sidecars}{whole}{hint}")


def described(change: SidecarChange) -> str:
    """Return a line with a sidecar and its changed tags."""
    return printable(f"{change.sidecar}: {', '.join(change.tags)}")


def _check_is_none_of(picture: Path, outputs: list[Path]) -> None:
    for one in outputs:
        if one.exists() and picture.exists() and one.samefile(picture):
            raise InputError(f"cannot write {one}: it is one of the pictures; choose another name")
