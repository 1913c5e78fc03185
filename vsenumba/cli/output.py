"""What commands print: results to stdout, all else to stderr."""

from __future__ import annotations

import io
import json
import math
import os
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from vsenumba.printable import printable

if TYPE_CHECKING:
    from vsenumba.data import AnnotationSet


class Styled(str):
    """Text that may hold escape sequences, as they are the package's own: names in it are `printable` already."""

    __slots__ = ()


# Where the context of the commands has the words of the command line.
COMMAND_LINE = f"{__name__}.command_line"


def prepare_streams() -> None:
    """Make what is printed UTF-8 with plain line feeds, unless a terminal takes it; there its own encoding stays.

    Letters that a terminal lacks are shown as escapes. What goes to a stream that is closed goes nowhere.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115 - open to the end, as the other was
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, io.TextIOWrapper):
            continue
        if stream.isatty():
            stream.reconfigure(errors="backslashreplace")
        else:
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")


def say(text: str = "") -> None:
    """Print a result; control characters are shown as escapes."""
    click.echo(_visible(text, sys.stdout))


def note(text: str) -> None:
    """Print what is not a result: progress, warnings, advice; control characters are shown as escapes."""
    click.echo(_visible(text, sys.stderr), err=True)


def _visible(text: str, stream: Any) -> str:
    if not isinstance(text, Styled):
        text = "\n".join(map(printable, text.split("\n")))
    # Click would write UTF-8 where a stream says that it takes ASCII.
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def say_json(value: Any) -> None:
    """Print a result as one JSON document."""
    click.echo(as_json_text(value))


def as_json_text(value: Any) -> str:
    """Return a JSON document in ASCII; NaN and infinity, which JSON lacks, become null."""
    # The one control character of ASCII that JSON lets stand.
    return json.dumps(_plain(value), indent=2, allow_nan=False).replace("\x7f", "\\u007f")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def suggest(*commands: Sequence[str]) -> None:
    """Say what to type next, each command as a list of its words."""
    note("\nnext:")
    for words in commands:
        note("  " + shlex.join(words))


def command_line() -> str:
    """Return the command as it was typed, for what is recorded in files."""
    return printable(shlex.join(click.get_current_context().meta[COMMAND_LINE]))


def table(header: Sequence[str], rows: Iterable[Sequence[str]], align: str) -> Styled:
    """Return text in aligned columns under a header; `align` has an l or an r for each column."""
    from rich.cells import cell_len  # letters of some scripts are two columns wide

    lines = [[printable(cell) for cell in line] for line in (header, *rows)]
    widths = [max(cell_len(line[i]) for line in lines) for i in range(len(header))]

    def padded(line: Sequence[str]) -> str:
        cells = []
        for cell, width, side in zip(line, widths, align, strict=True):
            blanks = " " * (width - cell_len(cell))
            cells.append(blanks + cell if side == "r" else cell + blanks)
        return "  ".join(cells).rstrip()

    return Styled("\n".join([click.style(padded(lines[0]), bold=True), *map(padded, lines[1:])]))


def one_line(message: object) -> str:
    """Return a message without its line breaks."""
    return " ".join(str(message).split("\n"))


def counted(n: int, what: str) -> str:
    """Return a number with its noun, ``"1 image"`` or ``"2 images"``."""
    return f"{n:,} {what}{'s' * (n != 1)}"


def size_of(data: AnnotationSet) -> str:
    """Return how large a set is, in words."""
    counts = [(data.n_images, "image"), (data.n_labels, "label"), (data.n_pairs, "pair")]
    if data.features is not None:
        counts.append((data.features.shape[1], "feature"))
    return ", ".join(counted(n, what) for n, what in counts)


def silence_stdout() -> None:
    """Drop what could not be written to stdout, which Python would try, and complain about, again at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
