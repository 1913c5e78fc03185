"""The options that only tables have."""

from __future__ import annotations

from os import PathLike
from typing import NamedTuple

from vsenumba.errors import InputError


class TableOptions(NamedTuple):
    """How to read a table of images and labels.

    Attributes
    ----------
    image_column, label_column : str or None
        The columns; found by their usual names where None.
    separator : str or None
        What stands between the labels of a cell; ``"none"`` where a cell is one label, ``"list"`` where it is a list in
        brackets, as programs write them. None asks where most cells look like lists.
    """

    image_column: str | None = None
    label_column: str | None = None
    separator: str | None = None


def refuse_options(path: str | PathLike[str], options: TableOptions) -> None:
    """Refuse the options of tables for a file that is none, rather than ignore them."""
    for option, value in options._asdict().items():
        if value is not None:
            raise InputError(f"{option}={value!r} is for tables of text only, which {path} is not")
