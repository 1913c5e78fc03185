"""The lines of a text table, with any line ending, in bounded memory."""

from __future__ import annotations

import codecs
from collections import deque
from collections.abc import Iterator
from typing import IO

from vsenumba.errors import FileFormatError

LINE_BYTES = 1 << 20
# UTF-32 comes first, because its byte order mark starts with that of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32", codecs.BOM_UTF32_BE: "UTF-32", codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}  # fmt: skip


def wide_encoding(head: bytes) -> str | None:
    """Return the name of the encoding if a text is UTF-16 or UTF-32, and None otherwise."""
    for mark, name in _MARKS.items():
        if head.startswith(mark):
            return name
    # Without a mark: characters of Western scripts have zero bytes between them.
    sample = head[: len(head) // 4 * 4]
    for width, name in ((4, "UTF-32"), (2, "UTF-16")):
        for used in (0, width - 1):
            zeros = b"".join(sample[at::width] for at in range(width) if at != used)
            if len(sample) >= 8 and zeros.count(0) == len(zeros) and 0 not in sample[used::width]:
                return name
    return None


class Lines(Iterator[str]):
    """The lines of a stream, and the start of the current record. A line ends with LF, CR LF or CR."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._ready: deque[bytes] = deque()
        self._rest = b""
        self._number = 0
        self._record_bytes = 0
        self._pushed_back: str | None = None
        self.record_start = 0

    def __next__(self) -> str:
        if self._pushed_back is not None:
            line, self._pushed_back = self._pushed_back, None
            return line
        raw = self._raw_line()
        if not raw:
            raise StopIteration
        self._number += 1
        if not self._record_bytes:
            self.record_start = self._number
        # Count over all lines of a record, because an unclosed quote would make the whole file one record.
        self._record_bytes += len(raw)
        if self._record_bytes > LINE_BYTES:
            raise FileFormatError(
                f"the line, or the quoted field that begins in it, is longer than {LINE_BYTES:,} bytes"
            )
        if self._number == 1:
            if wide := wide_encoding(raw):
                raise FileFormatError(f"the file is {wide}; save it as UTF-8")
            raw = raw.removeprefix(codecs.BOM_UTF8)
        try:
            line = raw.decode()
        except UnicodeDecodeError as error:
            self.record_start = self._number
            raise FileFormatError(
                f"byte {error.start + 1} (0x{raw[error.start]:02x}) is not UTF-8; save the table as UTF-8"
            ) from error
        if "\0" in line:
            self.record_start = self._number
            raise FileFormatError("the line contains a NUL character; this is not a text file")
        return line

    def _raw_line(self) -> bytes:
        """Return the next line with its line ending, a part of an overlong line, or nothing at the end of the file."""
        while not self._ready:
            read = self._stream.readline(LINE_BYTES + 1)
            raw, self._rest = self._rest + read, b""
            if b"\r" not in raw or len(raw) > 2 * LINE_BYTES:
                return raw
            whole = raw.splitlines(keepends=True)
            if len(read) > LINE_BYTES and not read.endswith(b"\n"):
                self._rest = whole.pop()
            self._ready.extend(line.rstrip(b"\r\n") + b"\n" for line in whole)
        return self._ready.popleft()

    def push_back(self, line: str) -> None:
        """Push a line back, so that it comes next."""
        self._pushed_back = line

    @property
    def stream(self) -> IO[bytes]:
        """The stream that the lines come from."""
        return self._stream

    def read_on(self, stream: IO[bytes]) -> bool:
        """Switch to another stream if the lines read so far end where it starts, and return whether they do."""
        if self._ready or self._rest or self._pushed_back is not None:
            return False
        self._stream = stream
        return True

    def skip(self, n: int) -> None:
        """Count `n` lines, each a record, that other code took from the stream."""
        self._number += n
        self._record_bytes = 0

    def end_record(self) -> None:
        """Mark the last line as the end of a record."""
        self._record_bytes = 0
