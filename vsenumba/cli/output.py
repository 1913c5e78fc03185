"""Printing: results go to stdout, everything else to stderr."""

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

from vsenumba.printable import counted, printable

if TYPE_CHECKING:
    from vsenumba.data import AnnotationSet


class Styled(str):
    """Text that may contain the package's own escape sequences; the names in it are `printable` already."""

    __slots__ = ()


# The key of the command line in the context of a command.
COMMAND_LINE = f"{__name__}.command_line"


def prepare_streams() -> None:
    """Print UTF-8 with plain line feeds to files and pipes; keep the encoding of a terminal.

    Characters that a terminal cannot show are printed as escapes. Text for a closed stream is dropped.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115 - stays open to the end
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
    """Print progress, a warning or advice to stderr; control characters are shown as escapes."""
    click.echo(_visible(text, sys.stderr), err=True)


def _visible(text: str, stream: Any) -> str:
    if not isinstance(text, Styled):
        text = "\n".join(map(printable, text.split("\n")))
    # Click would write UTF-8 even to a stream whose encoding is ASCII.
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def say_json(value: Any) -> None:
    """Print a result as one JSON document."""
    click.echo(as_json_text(value))


def as_json_text(value: Any) -> str:
    """Return a JSON document in ASCII; NaN and infinity become null."""
    # JSON does not escape this control character.
    return json.dumps(_plain(value), indent=2, allow_nan=False).replace("\x7f", "\\u007f")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def suggest(*commands: Sequence[str]) -> None:
    """Print commands to try next, each given as a list of words."""
    note("\nnext:")
    for words in commands:
        note("  " + shlex.join(words))


def command_line() -> str:
    """Return the command as it was typed, to be recorded in files."""
    return printable(shlex.join(click.get_current_context().meta[COMMAND_LINE]))


def table(header: Sequence[str], rows: Iterable[Sequence[str]], align: str) -> Styled:
    """Return text in aligned columns under a header; `align` has an l or an r for each column."""
    from rich.cells import cell_len  # characters of some scripts are two columns wide

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


def size_of(data: AnnotationSet) -> str:
    """Return the size of a data set as text."""
    counts = [(data.n_images, "image"), (data.n_labels, "label"), (data.n_pairs, "pair")]
    if data.features is not None:
        counts.append((data.features.shape[1], "feature"))
    return ", ".join(counted(n, what) for n, what in counts)


def silence_stdout() -> None:
    """Drop unwritten output, so that Python does not try to write it again at exit and print an error."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
