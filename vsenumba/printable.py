"""Printable names: characters that would control a terminal, or reverse text, are shown as escapes."""

from __future__ import annotations

import re

# Control characters, line and paragraph separators, what changes the direction of writing, halves of characters.
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


# Spreadsheets read a cell that begins with one of these as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def printable(text: str) -> str:
    r"""Return a text with its control characters as escapes.

    Bytes of the command line that Python could not read are read as UTF-8.

    Examples
    --------
    >>> print(printable("red \x1b[31m, schön, line\nfeed"))
    red \x1b[31m, schön, line\nfeed
    """
    if any("\udc80" <= letter <= "\udcff" for letter in text):
        text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return _STEERING.sub(_escape, text)


def not_a_formula(text: str) -> str:
    """Return a text for a cell of a spreadsheet, with an apostrophe before what would be read as a formula.

    Examples
    --------
    >>> not_a_formula("=1+1"), not_a_formula("cat")
    ("'=1+1", 'cat')
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def _escape(found: re.Match[str]) -> str:
    return found.group().encode("unicode_escape").decode("ascii")


def counted(n: int, what: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "image"), counted(2000, "image")
    ('1 image', '2,000 images')
    """
    return f"{n:,} {what}{'s' * (n != 1)}"
