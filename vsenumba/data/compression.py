"""Files that may be compressed: opened as what is in them, whatever their ending."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import BinaryIO, cast

from vsenumba.errors import FileFormatError, InputError

HEAD_BYTES = 4096
GZIP, XZ = b"\x1f\x8b", b"\xfd7zXZ\x00"

# BZh, a digit, and the digits of pi.
BZIP2 = re.compile(rb"BZh[1-9]1AY&SY")


def is_compressed(path: str | PathLike[str]) -> bool:
    """Tell whether a file begins as gzip, xz or bzip2 files do."""
    with Path(path).open("rb") as file:
        magic = file.read(10)
    return magic.startswith((GZIP, XZ)) or BZIP2.match(magic) is not None


@contextmanager
def open_decompressed(path: str | PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for reading bytes, through gzip, xz or bzip2 where it is compressed.

    Damage in the compressed stream, found at any time within the block, becomes a `FileFormatError`.
    """
    try:
        with Path(path).open("rb") as file:
            magic = file.read(10)
            file.seek(0)
            if magic.startswith(GZIP):
                with gzip.open(file) as stream:
                    yield cast(BinaryIO, stream)
            elif magic.startswith(XZ):
                with lzma.open(file) as stream:
                    yield cast(BinaryIO, stream)
            elif BZIP2.match(magic):
                with bz2.open(file) as stream:
                    yield cast(BinaryIO, stream)
            else:
                yield file
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise FileFormatError(f"{path}: the compressed file is damaged or cut off: {error}") from error
    except OSError as error:
        if error.errno is None and not isinstance(error, io.UnsupportedOperation):  # bz2's of a damaged stream
            raise FileFormatError(f"{path}: the compressed file is damaged or cut off: {error}") from error
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
