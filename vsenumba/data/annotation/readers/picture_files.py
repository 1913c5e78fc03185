"""The pictures in a folder, recognised by their extensions, and the files next to them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from vsenumba.data.annotation.readers.lines import LINE_BYTES
from vsenumba.errors import FileFormatError, InputError
from vsenumba.storage import check_readable

PICTURE_ENDINGS = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".avif", ".heic", ".heif", ".jxl"),
        *(".svg", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf"),
    }
)
# The number of entries of a folder to check in order to detect its format.
_MOST_LOOKED_AT = 10_000


class Folder:
    """The files of one folder at or below the folder being read.

    Parameters
    ----------
    prefix : str
        The text before the file name in an image's id, such as ``""`` or ``"birds/"``.
    names : list of str
        The names of the files.

    Examples
    --------
    >>> folder = Folder("birds/", ["x.jpg", "X.TXT", "notes.txt"])
    >>> folder.pictures, folder.beside("x.jpg", ".txt")
    (['x.jpg'], ['X.TXT'])
    """

    def __init__(self, prefix: str, names: list[str]) -> None:
        self.prefix = prefix
        self.names = names
        # Extensions can be in upper or lower case. An exact match takes precedence.
        self._known = {name.casefold(): name for name in reversed(names)} | {name: name for name in names}

    @property
    def pictures(self) -> list[str]:
        """The names of the files that have a picture extension."""
        return [name for name in self.names if f".{name.rpartition('.')[2].casefold()}" in PICTURE_ENDINGS]

    def beside(self, picture: str, ending: str) -> list[str]:
        """Return the files next to a picture with an extension, ``x.jpg.txt`` before ``x.txt``."""
        found = []
        for one in (f"{picture}{ending}", f"{picture.rpartition('.')[0]}{ending}"):
            name = self._known.get(one) or self._known.get(one.casefold())
            if name is not None and name not in found:
                found.append(name)
        return found


def walk(path: Path) -> Iterator[Folder]:
    """Yield a folder and its subfolders in order, with sorted files and without hidden entries.

    Raises
    ------
    InputError
        If a folder cannot be read.
    """

    def refuse(error: OSError) -> None:
        raise InputError(f"cannot read {error.filename}: {error.strerror or error}") from error

    for place, folders, files in os.walk(path, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        relative = Path(place).relative_to(path).as_posix()
        names = sorted(name for name in files if not name.startswith("."))
        yield Folder("" if relative == "." else f"{relative}/", names)


def has_sidecars(path: Path, ending: str) -> bool:
    """Return whether the first files in a folder include a picture with such a file next to it."""
    n = 0
    try:
        for folder in walk(path):
            if any(folder.beside(picture, ending) for picture in folder.pictures):
                return True
            n += len(folder.names) + 1
            if n > _MOST_LOOKED_AT:
                return False
    except InputError:
        pass
    return False


def read_small(path: Path) -> bytes:
    """Return the content of a file next to a picture.

    Raises
    ------
    InputError
        If the file cannot be read.
    FileFormatError
        If the file is too large for a list of labels.
    """
    check_readable(path)
    try:
        with path.open("rb") as file:
            content = file.read(LINE_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    if len(content) > LINE_BYTES:
        raise FileFormatError(f"{path}: larger than {LINE_BYTES:,} bytes, which is too large for a list of labels")
    return content
