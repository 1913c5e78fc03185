"""Streaming JSON: arrays and objects of any size, and JSON Lines, read value by value in bounded memory."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from vsenumba.data.annotation.readers.lines import wide_encoding
from vsenumba.data.compression import open_decompressed
from vsenumba.errors import FileFormatError

# The largest record of an image.
RECORD_BYTES = 1 << 24
_READ = 1 << 16
# An opening bracket, followed by an object's key or an array element.
_OPENING = re.compile(rb'[ \t\r\n]*(\{[ \t\r\n]*(["}]|$)|\[[ \t\r\n]*(["{\[\]tfn0-9-]|$))')
_BLANKS = re.compile(r"[ \t\r\n]*")


class Number(str):
    """A number as written in the file, because a label that is a number is text."""

    __slots__ = ()


# Keep numbers as written: 1e400 and 0.10 are labels too. True, false and null are parsed as usual.
_DECODER = json.JSONDecoder(
    parse_int=Number, parse_float=Number, parse_constant=Number, object_pairs_hook=lambda pairs: distinct(pairs)
)


def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object, and raise an error if a key appears twice, as Python would keep only the last value."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise FileFormatError(f"the key {twice!r} appears twice in one object; write its values into one list")
    return found


def starts_json(head: bytes) -> bool:
    """Return whether a file that starts with `head` can be a JSON array or object.

    Examples
    --------
    >>> starts_json(b'  [{"id": 1}'), starts_json(b"image,tag")
    (True, False)
    """
    return _OPENING.match(head.removeprefix(codecs.BOM_UTF8)) is not None


class JsonStream:
    """The text of a stream, from which you take values one by one.

    Attributes
    ----------
    line : int
        The line in which the last value starts. 0 if messages are about the whole file.
    record : int
        The number of that element, item or value, from 1.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text, self._at = "", 0
        self._is_first, self._is_over = True, False
        # The line number at the position up to which lines are counted, and that position.
        self._line_counted, self._counted = 1, 0
        self.line = 1
        self.record = 0

    def _fill(self, n: int = _READ) -> bool:
        """Read more text, and return whether there was any."""
        if self._is_over:
            return False
        raw = self._stream.read(n)
        if self._is_first and (wide := wide_encoding(raw)):
            raise FileFormatError(f"the file is {wide}; save it as UTF-8")
        self._is_first, self._is_over = False, not raw
        try:
            more = self._decoder.decode(raw, final=self._is_over)
        except UnicodeDecodeError as error:
            self.line = self._line_at(len(self._text))
            raise FileFormatError(
                f"byte 0x{error.object[error.start]:02x} in or after this line is not UTF-8; save the file as UTF-8"
            ) from error
        self._line_at(self._at)
        self._text, self._at, self._counted = self._text[self._at :] + more, 0, 0
        return not self._is_over

    def _line_at(self, at: int) -> int:
        self._line_counted += self._text.count("\n", self._counted, at)
        self._counted = at
        return self._line_counted

    def peek(self) -> str:
        """Return the next character that is not whitespace, or an empty string at the end."""
        while True:
            self._at = _BLANKS.match(self._text, self._at).end()  # type: ignore[union-attr]  # it matches anything
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._fill():
                return ""

    def take(self, expected: str) -> str:
        """Take the next character, which must be one of the expected ones."""
        found = self.peek()
        if not found or found not in expected:
            self.line = self._line_at(self._at)
            shown = "the end of the file" if not found else repr(found)
            raise FileFormatError(f"not valid JSON: {' or '.join(expected)} expected, found {shown}")
        self._at += 1
        return found

    def value(self) -> Any:
        """Take the next value as a whole, with numbers as written."""
        self.peek()
        self.line = self._line_at(self._at)
        n = _READ
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                reason = "the file ends within a value" if error.pos >= len(self._text) else error.msg
                n = min(2 * n, RECORD_BYTES)
                if len(self._text) - self._at > RECORD_BYTES:
                    raise FileFormatError(f"a value is longer than {RECORD_BYTES:,} characters") from error
                if not self._fill(n):
                    raise FileFormatError(f"not valid JSON: {reason}") from error
            except RecursionError as error:
                raise FileFormatError("the values are nested too deeply") from error
            else:
                # A number at the end of the text may continue in the next block.
                if end < len(self._text) or not self._fill(n):
                    self._at = end
                    return value

    def values(self) -> Iterator[Any]:
        """Take consecutive values, as in JSON Lines, and yield them one by one."""
        while self.peek():
            self.record += 1
            yield self.value()

    def elements(self) -> Iterator[Any]:
        """Take an array, and yield its elements one by one."""
        self.take("[")
        if self.peek() == "]":
            self.take("]")
            return
        while True:
            self.record += 1
            yield self.value()
            if self.take(",]") == "]":
                return

    def items(self) -> Iterator[tuple[str, Any]]:
        """Take an object, and yield its keys and values one by one."""
        self.take("{")
        if self.peek() == "}":
            self.take("}")
            return
        yield from self.rest_of_items()

    def rest_of_items(self) -> Iterator[tuple[str, Any]]:
        """Continue with an object after some of its items, the last including its comma, were taken."""
        while True:
            if self.peek() != '"':
                self.take('"')
            self.record += 1
            key = self.value()
            self.take(":")
            yield key, self.value()
            if self.take(",}") == "}":
                return


@contextmanager
def open_json(path: Path) -> Iterator[JsonStream]:
    """Open a JSON file, and add the path and the line to errors raised in the ``with`` block."""
    with open_decompressed(path) as stream:
        json_stream = JsonStream(stream)
        try:
            yield json_stream
        except FileFormatError as error:
            record = f", record {json_stream.record:,}" if json_stream.record else ""
            where = f", line {json_stream.line:,}{record}" if json_stream.line else ""
            raise FileFormatError(f"{path}{where}: {error}") from error
