"""Large JSON objects, read one list element at a time so that lists are never held in memory."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from vsenumba.data.compression import open_decompressed
from vsenumba.errors import FileFormatError

_BLOCK = 1 << 20
# The most characters in one element, which is held in memory as a whole.
_MOST = 1 << 26
_BLANKS = " \t\r\n"


def members_of(path: Path) -> Iterator[tuple[str, int | None, Any]]:
    """Yield the members of a JSON object in a file: a name, an element number or None, and a value.

    If a member is a list, the function yields each element with its number. For an empty list, it yields the list
    itself.

    Raises
    ------
    FileFormatError
        If the file is not JSON in UTF-8, or does not contain an object. The message names the member that could not be
        read.
    """
    with open_decompressed(path) as stream:
        text = _Text(stream)
        where = "the beginning"
        try:
            text.expect("{")
            while text.next_letter() != "}":
                name = text.value()
                where = f"{name!r:.40}"
                text.expect(":")
                if text.next_letter() != "[":
                    yield name, None, text.value()
                else:
                    text.expect("[")
                    number = 0
                    if text.next_letter() == "]":
                        yield name, None, []
                    while text.next_letter() != "]":
                        where = f"{name!r:.40}, element {number}"
                        yield name, number, text.value()
                        number += 1
                        text.comma("]")
                    text.expect("]")
                text.comma("}")
        except (ValueError, RecursionError) as error:
            if isinstance(error, FileFormatError) and str(error).startswith(str(path)):
                raise
            raise FileFormatError(f"{path}: at {where}: not JSON: {error}") from error


class _Text:
    """The text of a stream. Only the part being read is in memory."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._json = json.JSONDecoder()
        self._text = ""
        self._at = 0
        self._ended = False

    def _more(self) -> bool:
        """Read more text, and return False at the end."""
        if self._ended:
            return False
        if len(self._text) - self._at > _MOST:
            raise ValueError(f"an element of more than {_MOST:,} characters")
        # Double the text in memory, so that long elements need few attempts to parse.
        block = self._stream.read(max(_BLOCK, len(self._text) - self._at))
        self._ended = not block
        self._text = self._text[self._at :] + self._decoder.decode(block, self._ended)
        self._at = 0
        return True

    def next_letter(self) -> str:
        """Return the next character that is not whitespace, without consuming it."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _BLANKS:
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                raise ValueError("the file ends in the middle")

    def expect(self, letter: str) -> None:
        """Skip an expected character."""
        found = self.next_letter()
        if found != letter:
            raise ValueError(f"expected {letter!r}, found {found!r}")
        self._at += 1

    def comma(self, end: str) -> None:
        """Skip a comma, which another element must follow, or stay before the `end` character."""
        if self.next_letter() == end:
            return
        self.expect(",")
        if self.next_letter() == end:
            raise ValueError(f"expected an element before {end!r}")

    def value(self) -> Any:
        """Return the next value."""
        self.next_letter()
        while True:
            try:
                value, end = self._json.raw_decode(self._text, self._at)
            except json.JSONDecodeError:
                if not self._more():
                    raise
                continue
            # A number may continue in the next block.
            if end == len(self._text) and self._more():
                continue
            self._at = end
            return value
