"""Large JSON objects, whose lists are gone through without being held in memory."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from vsenumba.data.compression import open_decompressed
from vsenumba.errors import FileFormatError

_BLOCK = 1 << 20
# An element, which is held as a whole, may take so many letters.
_MOST = 1 << 26
_BLANKS = " \t\r\n"


def members_of(path: Path) -> Iterator[tuple[str, int | None, Any]]:
    """Yield what an object of a file holds: a name, the number of an element where its value is a list, and the value.

    Of an empty list the list itself is yielded.

    Raises
    ------
    FileFormatError
        If it is not JSON in UTF-8, or holds no object; the message names the member that could not be read.
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
    """The text of a stream, of which only what is being read is held."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._json = json.JSONDecoder()
        self._text = ""
        self._at = 0
        self._ended = False

    def _more(self) -> bool:
        """Read on; false at the end."""
        if self._ended:
            return False
        if len(self._text) - self._at > _MOST:
            raise ValueError(f"an element of more than {_MOST:,} characters")
        # As much again as is held, so that long elements are not tried too often.
        block = self._stream.read(max(_BLOCK, len(self._text) - self._at))
        self._ended = not block
        self._text = self._text[self._at :] + self._decoder.decode(block, self._ended)
        self._at = 0
        return True

    def next_letter(self) -> str:
        """Return the next letter that is no blank."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _BLANKS:
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                raise ValueError("the file ends in the middle")

    def expect(self, letter: str) -> None:
        """Go on behind a letter."""
        found = self.next_letter()
        if found != letter:
            raise ValueError(f"expected {letter!r}, found {found!r}")
        self._at += 1

    def comma(self, end: str) -> None:
        """Go on behind a comma, which another element follows, or stay before the end."""
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
            # A number may go on in the next block.
            if end == len(self._text) and self._more():
                continue
            self._at = end
            return value
