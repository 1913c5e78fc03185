"""Where suggestions for pictures go: onto sheets to look at, into a table, into XMP sidecars."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from vsenumba.cli import csv_table, options
from vsenumba.cli.output import counted, note, say
from vsenumba.errors import InputError
from vsenumba.printable import printable

if TYPE_CHECKING:
    from vsenumba.sheets import Suggested
    from vsenumba.sidecars import SidecarChange

F = TypeVar("F", bound=Callable[..., Any])

# Of problems that are much the same.
_N_NAMED = 5


class Wanted(NamedTuple):
    """What a command line asks for; nothing by default."""

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
        """Whether anything is asked for."""
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
        help="Draw the pictures with their suggestions, as PNG, SVG or PDF.",
    ),
    click.option(
        "--html",
        type=options.OUTPUT,
        metavar="FILE.html",
        expose_value=False,
        callback=_remember,
        help="Write the same as one HTML file that works offline.",
    ),
    click.option(
        "--csv",
        type=options.OUTPUT,
        metavar="FILE.csv",
        expose_value=False,
        callback=_remember,
        help="Write a table image,label,score, in UTF-8.",
    ),
    click.option(
        "--xmp",
        is_flag=True,
        expose_value=False,
        callback=_remember,
        help="Show what would be added to XMP sidecars, x.jpg.xmp beside x.jpg; with --write, add it.",
    ),
    click.option(
        "--write",
        is_flag=True,
        expose_value=False,
        callback=_remember,
        help="With --xmp: write the sidecars. Pictures are never written to.",
    ),
    click.option(
        "--undo",
        is_flag=True,
        expose_value=False,
        callback=_remember,
        help="With --xmp: take back the tags that were added, and nothing else.",
    ),
)


def sheet_options(command: F) -> F:
    """Add the options; `wanted` says what they ask for."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def wanted() -> Wanted:
    """Return what the options of `sheet_options` ask for."""
    meta = click.get_current_context().meta
    asked = Wanted(**{name: meta[f"{__name__}.{name}"] for name in Wanted._fields})
    for name in ("write", "undo"):
        if getattr(asked, name) and not asked.xmp:
            raise click.UsageError(f"--{name} goes with --xmp")
    if asked.undo and asked.files:
        raise click.UsageError("--undo takes tags back from sidecars, and writes no other file")
    return asked


def check_sheets(asked: Wanted, *inputs: str | Path) -> None:
    """Make sure, before the work, that the files can be written, and that none of them is one that is read."""
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
            raise click.UsageError(f"{one} cannot be two of --sheet, --html and --csv")


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
    """Write pictures with their suggestions wherever they are wanted, and say what was written.

    Parameters
    ----------
    suggested : iterable of Suggested
        The pictures; it is gone through once, and none of them is kept.
    sheet, html, csv : path, optional
        The files to write.
    xmp, write : bool
        Whether to add the suggestions to sidecars, or, without `write`, only to say what would be added.
    excel : bool
        Whether the table is for a spreadsheet; see `csv_table.write_csv`.
    title : str
        What stands above the sheets.

    Returns
    -------
    int
        How many pictures there were.

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
            note("nothing was written to sidecars; --write writes")
    return n_pictures


def undo_sheets(places: Iterable[str | Path]) -> None:
    """Take back what was added to sidecars, and say so."""
    from vsenumba.sidecars import undo_sidecars

    changes = _Changes("took back")
    for change in undo_sidecars(map(Path, places), write=True):
        changes.note(change, shown=False)
    changes.sum_up("from")


class _Changes:
    """Counts what is done to sidecars, and says what cannot be done."""

    def __init__(self, verb: str) -> None:
        self._verb = verb
        self._n_sidecars = self._n_whole = self._n_tags = 0
        self._problems: list[str] = []
        self._n_problems = 0

    def note(self, change: SidecarChange, *, shown: bool) -> None:
        """Count a change, and show it if it is to be."""
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
        """Say how many there were."""
        for problem in self._problems:
            note(f"left alone: {problem}")
        if self._n_problems > len(self._problems):
            note(f"left alone: {self._n_problems - len(self._problems):,} more")
        if self._n_problems and not self._n_sidecars:
            raise InputError(f"no sidecar could be changed, {self._n_problems:,} had to be left alone")
        whole = ""
        if self._n_whole:
            whole = f", {self._n_whole:,} of them {'new' if preposition == 'to' else 'removed with them'}"
        tags, sidecars = counted(self._n_tags, "tag"), counted(self._n_sidecars, "sidecar")
        hint = "; 'vsenumba sidecars FOLDER --undo' takes them back" if self._verb == "added" and self._n_tags else ""
        note(f"{self._verb} {tags} {preposition} {sidecars}{whole}{hint}")


def described(change: SidecarChange) -> str:
    """Return a line on a sidecar and the tags in question."""
    return printable(f"{change.sidecar}: {', '.join(change.tags)}")


def _check_is_none_of(picture: Path, outputs: list[Path]) -> None:
    for one in outputs:
        if one.exists() and picture.exists() and one.samefile(picture):
            raise InputError(f"cannot write {one}: it is one of the pictures; choose another name")
