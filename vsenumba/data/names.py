"""The rule for all names: which values are valid names, and which names are the same.

Names of images, labels and words are text in Unicode form NFC, without whitespace and invisible marks at their ends. So
an é written as one character equals an é written as two, and ``"cat "`` equals ``"cat"``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Reversible, Set
from typing import Any

import numpy as np

from vsenumba.errors import InputError

# Invisible characters to strip besides whitespace: the byte order mark, zero-width space and word joiner.
_UNSEEN = "\ufeff\u200b\u2060"
_OUTER = "".join(map(chr, filter(lambda code: chr(code).isspace(), range(0x3001)))) + _UNSEEN


def plain(text: str) -> str:
    r"""Return a text in canonical form, in which names are compared.

    Examples
    --------
    >>> plain(" cafe\u0301\u00a0") == "café"
    True
    """
    return text.strip() if text.isascii() else unicodedata.normalize("NFC", text).strip(_OUTER)


def all_plain(text: str) -> bool:
    r"""Return whether all names in a text, separated by control characters, are in canonical form.

    This is a quick check for many names. It can return False for canonical names that contain whitespace.

    Examples
    --------
    >>> all_plain("café\0tree"), all_plain("cafe\u0301\0tree"), all_plain("café\0tree ")
    (True, False, False)
    """
    # split stops at the first whitespace, and drops whitespace at both ends.
    if len(text.split(None, 1)) > 1 or text[:1].isspace() or text[-1:].isspace():
        return False
    return text.isascii() or (unicodedata.is_normalized("NFC", text) and not any(mark in text for mark in _UNSEEN))


def as_name(value: Any, what: str) -> str:
    """Return a name as text in canonical form. A missing value becomes the empty string.

    Parameters
    ----------
    value : str or int
        A name. A whole number becomes its decimal text.
    what : str
        A description of the value for error messages, such as ``"image name 3"``.

    Raises
    ------
    InputError
        If the value is neither text nor a whole number. The message explains how to convert it to text.
    """
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return str(int(value))
    if _is_missing(value):
        return ""
    raise InputError(f"{what} is {_described(value)}")


def check_ordered(names: Any, what: str) -> None:
    """Reject a set, whose order differs between processes. Keys and values of a mapping are fine.

    Raises
    ------
    InputError
        If `names` is a set. The message calls it `what`.
    """
    if isinstance(names, Set) and not isinstance(names, Reversible):
        raise InputError(f"{what} must have an order, and a {type(names).__name__} has none; use a list or sorted(...)")


def _is_missing(value: Any) -> bool:
    """Return whether a value marks a gap in a table: None, NaN, NaT or pandas' NA."""
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
