"""The pictures of a folder, by the endings of their names, and the files that stand beside them."""

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
# Entries of a folder that are looked at to see what it is.
_MOST_LOOKED_AT = 10_000


class Folder:
    """The files of one folder below the one that is read.

    Parameters
    ----------
    prefix : str
        ``""`` or ``"birds/"``: what stands before the names in an image's id.
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
        # Endings are written either way; a name that is the same to the letter goes before.
        self._known = {name.casefold(): name for name in reversed(names)} | {name: name for name in names}

    @property
    def pictures(self) -> list[str]:
        """The names of the pictures, by their endings."""
        return [name for name in self.names if f".{name.rpartition('.')[2].casefold()}" in PICTURE_ENDINGS]

    def beside(self, picture: str, ending: str) -> list[str]:
        """Return the files beside a picture with an ending, ``x.jpg.txt`` before ``x.txt``."""
        found = []
        for one in (f"{picture}{ending}", f"{picture.rpartition('.')[0]}{ending}"):
            name = self._known.get(one) or self._known.get(one.casefold())
            if name is not None and name not in found:
                found.append(name)
        return found


def walk(path: Path) -> Iterator[Folder]:
    """Yield a folder and those below it, in order, with their files sorted; what is hidden is left out.

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
    """Tell whether among the first files below a folder there is a picture with a file beside it."""
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
    """Return a file that stands beside a picture, whole.

    Raises
    ------
    InputError
        If it cannot be read.
    FileFormatError
        If it is larger than such files are.
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
