"""Find the pictures in a folder and assign their ids."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vsenumba.data.names import plain
from vsenumba.errors import FileFormatError, InputError, unknown_name
from vsenumba.pictures.decode import ENDINGS, HEAD_BYTES, is_picture, open_picture, thumbnail
from vsenumba.storage import exists

if TYPE_CHECKING:
    from PIL.Image import Image

#: File endings of unsupported picture formats, which are only counted.
OTHER_FORMATS = frozenset(
    {
        *(".heic", ".heif", ".avif", ".jxl", ".jp2", ".j2k", ".svg", ".svgz", ".psd", ".xcf", ".tga", ".ico", ".eps"),
        *(".cr2", ".cr3", ".nef", ".arw", ".dng", ".raf", ".orf", ".rw2", ".raw"),
    }
)

# Files and folders that systems and devices create beside pictures, such as thumbnails and copies of metadata.
_NOT_PEOPLES = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir"})


class BrokenPicture(NamedTuple):
    """A picture that could not be read, and the reason."""

    image: str
    reason: str


class PictureFolder:
    """The pictures in a folder and its subfolders, sorted by their ids.

    A file is recognised as a picture by its ending. Files with other endings are recognised by their first bytes.
    Hidden files and folders are skipped, and so are system files such as ``Thumbs.db`` and ``__MACOSX``. Links are
    followed, but each folder is read only once, so a link to a parent folder does no harm.

    Parameters
    ----------
    path : str or path-like
        The folder.

    Attributes
    ----------
    path : Path
        The folder.
    image_ids : list of str
        The id of each picture: its path within the folder, with ``/`` and the file ending, such as ``"birds/a.jpg"``.
    unreadable : list of BrokenPicture
        Skipped files and folders: those that cannot be read, and those with a name that is not text or not unique.
    other_formats : dict from str to int
        The number of pictures in each unsupported format, by file ending.

    Raises
    ------
    InputError
        If the folder does not exist, cannot be read, or has no pictures.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as name:
    ...     (pathlib.Path(name) / "birds").mkdir()
    ...     Image.new("RGB", (40, 30), "red").save(pathlib.Path(name) / "birds" / "a.png")
    ...     folder = PictureFolder(name)
    ...     list(folder), folder.thumbnail("birds/a.png", 8).shape
    (['birds/a.png'], (8, 8, 3))
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        if not isinstance(path, (str, PathLike)):
            raise InputError(f"the folder of pictures must be a path, not a {type(path).__name__}")
        self.path = Path(path)
        if not exists(path):
            raise InputError(f"there is no folder {path}")
        if not self.path.is_dir():
            raise InputError(f"{path} is a file, not a folder; give the folder of the pictures")
        self.unreadable: list[BrokenPicture] = []
        self.other_formats: dict[str, int] = {}
        self._paths: dict[str, str] = {}
        self._walk()
        self.image_ids = sorted(self._paths)
        if not self.image_ids:
            raise InputError(f"no picture in {path}: {self._what_there_is()}")

    @classmethod
    def of_file(cls, path: str | PathLike[str]) -> PictureFolder:
        """Return a folder object with a single picture.

        Raises
        ------
        InputError
            If the content of the file is not a picture.
        """
        picture = Path(path)
        try:
            with picture.open("rb") as file:
                is_one = is_picture(file.read(HEAD_BYTES))
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror or error}") from error
        if not is_one:
            raise InputError(f"{path} is not a picture; supported formats are JPEG, PNG, WebP, GIF, TIFF and BMP")
        alone = cls.__new__(cls)
        alone.path, alone.unreadable, alone.other_formats, alone._paths = picture.parent, [], {}, {}
        alone._take(picture)
        alone.image_ids = list(alone._paths)
        return alone

    def _what_there_is(self) -> str:
        if self.other_formats:
            found = ", ".join(f"{n:,} {ending}" for ending, n in self.other_formats.items())
            return f"{found} files are not supported; convert them to JPEG or PNG"
        if self.unreadable:
            return f"{self.unreadable[0].image}: {self.unreadable[0].reason}"
        return "the folder and its subfolders have no JPEG, PNG, WebP, GIF, TIFF or BMP files"

    def _walk(self) -> None:
        seen: set[tuple[int, int]] = set()
        others: Counter[str] = Counter()
        # Links come last, so that a folder keeps its own name rather than that of a link.
        folders, links = [self.path], list[Path]()
        while folders or links:
            folder = folders.pop() if folders else links.pop()
            try:
                status = folder.stat()
                if (status.st_dev, status.st_ino) in seen:
                    continue
                seen.add((status.st_dev, status.st_ino))
                with os.scandir(folder) as entries:
                    found = sorted(entries, key=lambda entry: entry.name)
            except OSError as error:
                if folder == self.path:
                    raise InputError(f"cannot read {folder}: {error.strerror or error}") from error
                self._leave_out(folder, f"the folder cannot be read: {error.strerror or error}")
                continue
            for entry in reversed(found):
                if entry.name.startswith(".") or entry.name.lower() in _NOT_PEOPLES:
                    continue
                path = Path(entry.path)
                if _is(entry.is_dir):
                    (links if entry.is_symlink() else folders).append(path)
                elif path.suffix.lower() in OTHER_FORMATS:
                    others[path.suffix.lower()] += 1
                elif self._is_picture(path, entry):
                    self._take(path)
        self.other_formats = dict(sorted(others.items()))

    def _is_picture(self, path: Path, entry: os.DirEntry[str]) -> bool:
        by_ending = path.suffix.lower() in ENDINGS
        if not _is(entry.is_file):  # a pipe, a device or a broken link
            if by_ending:
                self._leave_out(path, "a broken link" if entry.is_symlink() else "not a file")
            return False
        if by_ending:
            return True
        try:
            with path.open("rb") as file:
                return is_picture(file.read(HEAD_BYTES))
        except OSError:
            return False

    def _take(self, path: Path) -> None:
        name = path.relative_to(self.path).as_posix()
        image = plain(name)
        try:
            image.encode()
        except UnicodeEncodeError:
            self._leave_out(path, "its name is not UTF-8; rename it")
            return
        if image in self._paths:
            self._leave_out(
                path, f"its name differs from {self._paths[image]!r} only in spaces or Unicode form; rename it"
            )
            return
        self._paths[image] = name

    def _leave_out(self, path: Path, reason: str) -> None:
        self.unreadable.append(BrokenPicture(path.relative_to(self.path).as_posix(), reason))

    def __len__(self) -> int:
        return len(self.image_ids)

    def __iter__(self) -> Iterator[str]:
        return iter(self.image_ids)

    def __contains__(self, image: object) -> bool:
        return image in self._paths

    def __repr__(self) -> str:
        return f"<PictureFolder {self.path}: {len(self):,} pictures>"

    def path_of(self, image: str) -> Path:
        """Return the path of a picture.

        Raises
        ------
        UnknownNameError
            If there is no such picture. The message suggests the most similar ids.
        """
        if image not in self._paths:
            raise unknown_name("picture", image, self.image_ids)
        return self.path / self._paths[image]

    def stamp_of(self, image: str) -> tuple[int, int]:
        """Return the size of a picture in bytes and its modification time in nanoseconds.

        A changed stamp means a changed picture.

        Raises
        ------
        FileFormatError
            If the file no longer exists.
        """
        try:
            status = self.path_of(image).stat()
        except OSError as error:
            raise FileFormatError(f"cannot read {image}: {error.strerror or error}") from error
        return status.st_size, status.st_mtime_ns

    def open(self, image: str) -> Image:
        """Open a picture; see `open_picture`."""
        return open_picture(self.path_of(image))

    def thumbnail(self, image: str, side: int) -> np.ndarray:
        """Return a picture in a white square, (side, side, 3) uint8; see `thumbnail`."""
        return thumbnail(self.path_of(image), side)


def _is(kind: Callable[[], bool]) -> bool:
    """Return whether a folder entry is of a kind; a circular link is of no kind."""
    try:
        return kind()
    except OSError:
        return False
