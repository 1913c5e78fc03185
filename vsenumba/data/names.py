"""The one rule for names, wherever they come from: what is text, what is none, and which two are the same.

Names of images, labels and words are text in Unicode's form NFC, without white space and invisible marks at their ends.
So an é that one program writes as one character and another as two is the same letter, and ``"cat "`` is ``"cat"``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Reversible, Set
from typing import Any

import numpy as np

from vsenumba.errors import InputError

# White space of all scripts, and what cannot be seen at all: the byte order mark, zero-width space, word joiner.
_UNSEEN = "\ufeff\u200b\u2060"
_OUTER = "".join(map(chr, filter(lambda code: chr(code).isspace(), range(0x3001)))) + _UNSEEN


def plain(text: str) -> str:
    r"""Return a text in the form in which names are compared.

    Examples
    --------
    >>> plain(" cafe\u0301\u00a0") == "café"
    True
    """
    return text.strip() if text.isascii() else unicodedata.normalize("NFC", text).strip(_OUTER)


def all_plain(text: str) -> bool:
    r"""Tell whether all names in a text that has control characters between them are in that form.

    It is a quick look at many names: some that have blanks within are taken for others.

    Examples
    --------
    >>> all_plain("café\0tree"), all_plain("cafe\u0301\0tree"), all_plain("café\0tree ")
    (True, False, False)
    """
    # Splitting stops at the first blank, and drops those at both ends.
    if len(text.split(None, 1)) > 1 or text[:1].isspace() or text[-1:].isspace():
        return False
    return text.isascii() or (unicodedata.is_normalized("NFC", text) and not any(mark in text for mark in _UNSEEN))


def as_name(value: Any, what: str) -> str:
    """Return what stands for a name as text, in the form in which names are compared; a missing one is empty.

    Parameters
    ----------
    value : str or int
        A name; whole numbers are taken as their decimal text.
    what : str
        What it names, for error messages: ``"image name 3"``.

    Raises
    ------
    InputError
        If it is neither text nor a whole number; the message says how to make it text.
    """
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return str(int(value))
    if _is_missing(value):
        return ""
    raise InputError(f"{what} is {_described(value)}")


def check_ordered(names: Any, what: str) -> None:
    """Refuse a set, whose order is another in every process; a mapping's keys and values have one.

    Raises
    ------
    InputError
        Which calls the set `what`.
    """
    if isinstance(names, Set) and not isinstance(names, Reversible):
        raise InputError(f"{what} must have an order, and a {type(names).__name__} has none; use a list or sorted(...)")


def _is_missing(value: Any) -> bool:
    """Tell whether it is what tables have in their gaps: None, NaN, NaT, pandas' NA."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):
        return type(value).__name__ in ("NAType", "NaTType")


def _described(value: Any) -> str:
    if isinstance(value, (bytes, bytearray)):
        return f"{bytes(value)!r:.60}, bytes; convert it to text with .decode()"
    if isinstance(value, (float, np.floating)):
        return f"the float {value}; convert ids that were read as floats with astype(int)"
    return f"{value!r:.60}, a {type(value).__name__}; names must be text or whole numbers"
