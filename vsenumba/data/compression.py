"""Files that may be compressed: recognised by content, whatever their extension, and decompressed when opened."""

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

# A bzip2 header: "BZh", a digit, and the digits of pi.
BZIP2 = re.compile(rb"BZh[1-9]1AY&SY")

# Tables and texts compress to about a tenth of their size, hardly ever to a hundredth. A file that expands more than
# this, and to more than _ALWAYS_BYTES, is probably a decompression bomb.
_MOST_EXPANSION = 100
_ALWAYS_BYTES = 1 << 25


class _Bounded(io.RawIOBase):
    """A stream that raises an error after `limit` bytes."""

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
    """Return the largest size that a compressed file of `n_bytes` may plausibly expand to."""
    return max(_ALWAYS_BYTES, _MOST_EXPANSION * n_bytes)


def is_compressed(path: str | PathLike[str]) -> bool:
    """Return whether a file starts like a gzip, xz or bzip2 file."""
    with Path(path).open("rb") as file:
        magic = file.read(10)
    return magic.startswith((GZIP, XZ)) or BZIP2.match(magic) is not None


def _unpacked(file: BinaryIO, magic: bytes) -> BinaryIO | None:
    """Return the content of a compressed file as a stream, or None if the file is not compressed."""
    if magic.startswith(GZIP):
        return cast(BinaryIO, gzip.GzipFile(fileobj=file))
    if magic.startswith(XZ):
        return cast(BinaryIO, lzma.LZMAFile(file))
    return cast(BinaryIO, bz2.BZ2File(file)) if BZIP2.match(magic) else None


@contextmanager
def open_decompressed(path: str | PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for reading bytes, and decompress gzip, xz or bzip2.

    Raises
    ------
    InputError
        If the file does not exist, you may not read it, or it is a pipe or a device, which may never end.
    FileFormatError
        Within the ``with`` block, if the compressed stream is damaged, or expands to far more than real data does.
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
