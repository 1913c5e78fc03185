"""Lists of names next to a matrix file: one name per line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vsenumba.data.annotation.readers.sparse_lines import text_lines
from vsenumba.data.names import plain
from vsenumba.errors import FileFormatError


def listed_names(path: Path) -> list[str]:
    """Return the names in a text file, one per line, without blank lines at the end.

    Raises
    ------
    FileFormatError
        If there is a blank line between names.
    """
    names: list[str] = []
    blank = 0
    with text_lines(path) as lines:
        for number, line in lines:
            name = plain(line)
            if name and blank:
                raise FileFormatError(f"line {blank}: the name is missing")
            if name:
                names.append(name)
            else:
                blank = blank or number
    return names


def found_beside(folder: Path, names: Iterable[str], within: Iterable[str] = ()) -> Path | None:
    """Return the first file with one of the given names in a folder, its two parents, or their subfolders `within`.

    Parameters
    ----------
    folder : Path
        The folder to search first.
    names : iterable of str
        The possible names of the file.
    within : iterable of str
        The names of subfolders that may contain the file.
    """
    for place in (folder, *folder.absolute().parents[:2]):
        for inside in ("", *within):
            for name in names:
                if (place / inside / name).is_file():
                    return place / inside / name
    return None
