"""Text files of captions, read line by line."""

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
    """Yield the number, from 1, and the text of each line in a UTF-8 file. Only line feeds end a line.

    Raises
    ------
    FileFormatError
        If the file is not text.

    Warns
    -----
    UserWarning
        If the file has bytes that are not UTF-8. They become U+FFFD.
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
    """Turn an input error in the ``with`` block into a file format error that names the file."""
    try:
        yield
    except InputError as error:
        raise FileFormatError(f"{path}: {error}") from error
