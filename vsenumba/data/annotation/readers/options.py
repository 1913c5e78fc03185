"""Options for reading a file whose content does not determine how to read it."""

from __future__ import annotations

from os import PathLike
from typing import NamedTuple

from vsenumba.checks import is_number
from vsenumba.errors import InputError

# The inputs that each option is for, for messages.
_FOR = {
    "image_column": "tables and records with named columns",
    "label_column": "tables and records with named columns",
    "separator": "tables and records of text",
    "threshold": "tables of scores",
    "first_number": "files with numbered labels",
    "sources": "tables with a column of sources, such as those of Open Images",
    "part": "folders with several parts",
    "lenient": "formats with known mistakes",
}


class TableOptions(NamedTuple):
    """How to read a file of images and labels.

    Attributes
    ----------
    image_column, label_column : str or None
        The columns, or the keys of records. None detects them by their usual names.
    separator : str or None
        The separator between the labels of a cell; ``"none"`` if a cell is one label; ``"list"`` if it is a list in
        brackets, as programs write them. None raises an error if most cells look like lists.
    threshold : float or None
        The lowest score that counts as a label. None raises an error if scores need a threshold.
    first_number : int or None
        The number of the first feature, 0 or 1, in svmlight files. None raises an error if it is ambiguous.
    sources : str or None
        The sources whose labels count, separated by commas, in tables with a source column, such as those of Open
        Images. None for all.
    format : str or None
        The ``NAME`` of the reader to use. None uses the reader that recognises the file.
    part : str or None
        The part of a folder to read, such as ``"train"``. None raises an error if there are several.
    lenient : bool or None
        Whether to accept known mistakes in a data set with a warning, instead of raising an error.
    """

    image_column: str | None = None
    label_column: str | None = None
    separator: str | None = None
    threshold: float | None = None
    first_number: int | None = None
    format: str | None = None
    sources: str | None = None
    part: str | None = None
    lenient: bool | None = None


def refuse_options(path: str | PathLike[str], options: TableOptions, *, but: tuple[str, ...] = ()) -> None:
    """Raise an error for options that a reader cannot use, rather than ignore them.

    Parameters
    ----------
    path : str or path-like
        The file, for the message.
    options : TableOptions
        The options that the user gave.
    but : tuple of str
        The options that the reader uses.

    Examples
    --------
    >>> refuse_options("a.npz", TableOptions(threshold=0.5), but=("threshold",))
    """
    for option, value in options._asdict().items():
        if value is not None and option != "format" and option not in but:
            raise InputError(f"{option}={value!r} cannot be used with {path}; it is only for {_FOR[option]}")


def check_values(options: TableOptions) -> TableOptions:
    """Return the options unchanged, after checking their values.

    Raises
    ------
    InputError
        If a value is invalid. The message names the first such option.
    """
    if options.threshold is not None and not is_number(options.threshold):
        raise InputError(f"threshold must be a number, not {options.threshold!r:.60}")
    if options.first_number not in (None, 0, 1) or isinstance(options.first_number, bool):
        raise InputError(f"first_number must be 0 or 1, not {options.first_number!r:.60}")
    if options.sources is not None and not isinstance(options.sources, str):
        raise InputError(f"sources must be a text of comma-separated names, not {options.sources!r:.60}")
    if options.part is not None and not isinstance(options.part, str):
        raise InputError(f"part must be the name of a part, not {options.part!r:.60}")
    if options.lenient not in (None, True):
        raise InputError(f"lenient must be true or false, not {options.lenient!r:.60}")
    return options
