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
from typing import Any, BinaryIO, cast

from vsenumba.errors import FileFormatError, InputError
from vsenumba.storage import check_readable

HEAD_BYTES = 4096
GZIP, XZ = b"\x1f\x8b", b"\xfd7zXZ\x00"

# BZh, a digit, and the digits of pi.
BZIP2 = re.compile(rb"BZh[1-9]1AY&SY")

# Tables and texts shrink to a tenth, hardly ever to a hundredth. What grows more than this, and beyond the first
# megabytes, is there to fill a memory.
_MOST_EXPANSION = 100
_ALWAYS_BYTES = 1 << 25


class _Bounded(io.RawIOBase):
    """A stream that ends in an error after so many bytes."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._read = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readinto(self, buffer: Any) -> int:
        found = self._stream.read(len(buffer))
        buffer[: len(found)] = found
        self._read += len(found)
        if self._read > self._limit:
            raise FileFormatError(
                f"the compressed file expands to more than the limit of {self._limit:,} bytes; if the file is genuine, "
                "decompress it yourself"
            )
        return len(found)


def most_bytes(n_bytes: int) -> int:
    """Return the most bytes that a compressed file of so many expands to, if it is of real data."""
    return max(_ALWAYS_BYTES, _MOST_EXPANSION * n_bytes)


def is_compressed(path: str | PathLike[str]) -> bool:
    """Tell whether a file begins as gzip, xz or bzip2 files do."""
    with Path(path).open("rb") as file:
        magic = file.read(10)
    return magic.startswith((GZIP, XZ)) or BZIP2.match(magic) is not None


def _unpacked(file: BinaryIO, magic: bytes) -> BinaryIO | None:
    """Return a compressed file's content as a stream, None for another file."""
    if magic.startswith(GZIP):
        return cast(BinaryIO, gzip.GzipFile(fileobj=file))
    if magic.startswith(XZ):
        return cast(BinaryIO, lzma.LZMAFile(file))
    return cast(BinaryIO, bz2.BZ2File(file)) if BZIP2.match(magic) else None


@contextmanager
def open_decompressed(path: str | PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for reading bytes, through gzip, xz or bzip2 where it is compressed.

    Raises
    ------
    InputError
        If there is no such file, it may not be read, or it is a pipe or a device, which need not end.
    FileFormatError
        Within the block, if the compressed stream is damaged, or expands to far more than real data does.
    """
    check_readable(path)
    try:
        with Path(path).open("rb") as file:
            magic = file.read(10)
            file.seek(0)
            opened = _unpacked(file, magic)
            if opened is None:
                yield file
                return
            bounded = _Bounded(opened, most_bytes(Path(path).stat().st_size))
            with opened, io.BufferedReader(bounded) as stream:
                yield cast(BinaryIO, stream)
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise FileFormatError(f"{path}: the compressed file is damaged or truncated: {error}") from error
    except OSError as error:
        if error.errno is None and not isinstance(error, io.UnsupportedOperation):  # bz2's of a damaged stream
            raise FileFormatError(f"{path}: the compressed file is damaged or truncated: {error}") from error
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
