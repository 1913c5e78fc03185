"""Lists of names that stand beside a matrix: one name a line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vsenumba.data.annotation.readers.sparse_lines import text_lines
from vsenumba.data.names import plain
from vsenumba.errors import FileFormatError


def listed_names(path: Path) -> list[str]:
    """Return the names of a text, line by line; blank lines at its end do not count.

    Raises
    ------
    FileFormatError
        If a line between names is blank.
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
    """Return the first file of some names in a folder or its two parents, or in folders of some names in these.

    Parameters
    ----------
    folder : Path
        Where to look first.
    names : iterable of str
        What the file may be called.
    within : iterable of str
        Folders that may hold it.
    """
    for place in (folder, *folder.absolute().parents[:2]):
        for inside in ("", *within):
            for name in names:
                if (place / inside / name).is_file():
                    return place / inside / name
    return None
