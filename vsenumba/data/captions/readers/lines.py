"""Text files of captions, line by line."""

from __future__ import annotations

import codecs
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vsenumba.data.compression import open_decompressed
from vsenumba.data.text.reading import REPLACEMENT, check_text
from vsenumba.errors import FileFormatError, InputError


def lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the numbers, from 1, and the lines of a text in UTF-8, which end at line feeds, whoever wrote it.

    Raises
    ------
    FileFormatError
        If it is not text.

    Warns
    -----
    UserWarning
        If bytes are not UTF-8, which become U+FFFD.
    """
    check_text(path)
    n_unreadable = 0
    with open_decompressed(path) as stream:
        for number, raw in enumerate(stream, start=1):
            line = (raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw).decode("utf-8", "replace")
            n_unreadable += line.count(REPLACEMENT)
            yield number, line.rstrip("\r\n")
    if n_unreadable:
        warnings.warn(
            f"{path}: {n_unreadable:,} character(s) are not valid UTF-8 and were replaced by U+FFFD",
            UserWarning,
            stacklevel=2,
        )


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Say, of what does not fit together in the block, that it is the file's fault."""
    try:
        yield
    except InputError as error:
        raise FileFormatError(f"{path}: {error}") from error
