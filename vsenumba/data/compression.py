"""Files that may be compressed: opened as what is in them, whatever their ending."""

from __future__ import annotations

import gzip
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import BinaryIO, cast

from vsenumba.errors import FileFormatError, InputError

HEAD_BYTES = 4096
GZIP, XZ = b"\x1f\x8b", b"\xfd7zXZ\x00"


def is_compressed(path: str | PathLike[str]) -> bool:
    """Tell whether a file begins as gzip or xz files do."""
    with Path(path).open("rb") as file:
        return file.read(len(XZ)).startswith((GZIP, XZ))


@contextmanager
def open_decompressed(path: str | PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for reading bytes, through gzip or xz where it is compressed.

    Damage in the compressed stream, found at any time within the block, becomes a `FileFormatError`.
    """
    try:
        with Path(path).open("rb") as file:
            magic = file.read(len(XZ))
            file.seek(0)
            if magic.startswith(GZIP):
                with gzip.open(file) as stream:
                    yield cast(BinaryIO, stream)
            elif magic.startswith(XZ):
                with lzma.open(file) as stream:
                    yield cast(BinaryIO, stream)
            else:
                yield file
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise FileFormatError(f"{path}: the compressed file is damaged or cut off: {error}") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
