"""The options that only tables have."""

from __future__ import annotations

from os import PathLike

from vsenumba.errors import InputError


def refuse_columns(path: str | PathLike[str], image_column: str | None, label_column: str | None) -> None:
    """Refuse the names of columns for a file that has none, rather than ignore them."""
    for option, value in (("image_column", image_column), ("label_column", label_column)):
        if value is not None:
            raise InputError(f"{option}={value!r} is for tables of text only, which {path} is not")
