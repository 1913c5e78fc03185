"""What commands print: results to stdout, all else to stderr."""

from __future__ import annotations

import json
import math
import os
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from vsenumba.data import AnnotationSet


def say(text: str = "") -> None:
    """Print a result."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    # Names can hold letters that a terminal's encoding lacks.
    click.echo(text.encode(encoding, "backslashreplace").decode(encoding))


def note(text: str) -> None:
    """Print what is not a result: progress, warnings, advice."""
    click.echo(text, err=True)


def say_json(value: Any) -> None:
    """Print a result as one JSON document."""
    click.echo(as_json_text(value))


def as_json_text(value: Any) -> str:
    """Return a JSON document; NaN and infinity, which JSON lacks, become null."""
    return json.dumps(_plain(value), indent=2, allow_nan=False)


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


def table(header: Sequence[str], rows: Iterable[Sequence[str]], align: str) -> str:
    """Return text in aligned columns under a header; `align` has an l or an r for each column."""
    from rich.cells import cell_len  # letters of some scripts are two columns wide

    lines = [list(header), *map(list, rows)]
    widths = [max(cell_len(line[i]) for line in lines) for i in range(len(header))]

    def padded(line: Sequence[str]) -> str:
        cells = []
        for cell, width, side in zip(line, widths, align, strict=True):
            blanks = " " * (width - cell_len(cell))
            cells.append(blanks + cell if side == "r" else cell + blanks)
        return "  ".join(cells).rstrip()

    return "\n".join([click.style(padded(lines[0]), bold=True), *map(padded, lines[1:])])


def one_line(message: object) -> str:
    """Return a message without its line breaks."""
    return " ".join(str(message).split("\n"))


def counted(n: int, what: str) -> str:
    """Return a number with its noun, ``"1 image"`` or ``"2 images"``."""
    return f"{n:,} {what}{'s' * (n != 1)}"


def size_of(data: AnnotationSet) -> str:
    """Return how large a set is, in words."""
    return f"{counted(data.n_images, 'image')}, {counted(data.n_labels, 'label')}, {counted(data.n_pairs, 'pair')}"


def silence_stdout() -> None:
    """Drop what could not be written to stdout, which Python would try, and complain about, again at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
