"""The files of catalogue sets: downloaded to the cache or found in a folder, and unpacked."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from vsenumba.data.annotation.data_set import DataSet
from vsenumba.data.annotation.readers.parts import chosen_part
from vsenumba.data.downloads import Progress, cache_folder, check_file, fetched
from vsenumba.data.unpacking import unpacked
from vsenumba.errors import InputError

_ARCHIVE = ".zip"
_UNPACKED = "unpacked"


def files_of(
    entry: DataSet,
    *,
    from_folder: str | PathLike[str] | None = None,
    trust: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Return the folder or file of a catalogue set, and download it if it is not there.

    Parameters
    ----------
    entry : DataSet
        A catalogue entry that is not shipped with the package.
    from_folder : str or path-like, optional
        A folder with the published files, unpacked or not. Nothing is downloaded then.
    trust : bool
        Whether to download files that have no published checksum. See `vsenumba.data.downloads.fetched`.
    progress : callable, optional
        Called with the progress of each file.

    Raises
    ------
    InputError
        If the download fails, or the folder does not exist. The message says what to do.
    FileFormatError
        If a file does not have the expected checksum, or an archive cannot be unpacked.
    """
    if from_folder is not None:
        return _at_hand(entry, Path(from_folder))
    if not entry.files:
        raise InputError(
            f"{entry.name} may not be downloaded by a program; download it yourself from {entry.source}, then use "
            "--from DIR (in Python from_folder=DIR)"
        )
    folder = cache_folder(entry.name)
    found = [fetched(file, folder, trust=trust, progress=progress) for file in entry.files]
    return _unpacked(entry, found, folder) or folder


def located(entry: DataSet, root: Path, part: str | None) -> tuple[Path, str | None]:
    """Return the arguments for the reader of a set: a path, and the part if the reader must find it.

    Parameters
    ----------
    entry : DataSet
        The catalogue entry.
    root : Path
        The path that `files_of` returned.
    part : str or None
        The part to read.
    """
    if root.is_file():
        return root, part
    if "" in entry.paths:
        inside = entry.paths[""]
    else:
        inside, part = entry.paths[chosen_part(Path(entry.name), entry.paths, part)], None
    # The user may have given a folder inside the unpacked archive.
    names = Path(inside).parts
    for first in range(len(names)):
        if (root / Path(*names[first:])).exists():
            return root / Path(*names[first:]), part
    if Path(inside).suffix:
        raise InputError(f"there is no {inside} in {root}, which should contain {entry.name}")
    return root, part


def _at_hand(entry: DataSet, root: Path) -> Path:
    if root.is_file():
        return root
    if not root.is_dir():
        raise InputError(f"cannot read {entry.name}: there is no folder {root}")
    there = [(file, root / file.name) for file in entry.files if (root / file.name).is_file()]
    if not there:
        return root
    if any(path.suffix == _ARCHIVE for _, path in there):
        folder = cache_folder(entry.name)
        for file, path in there:
            check_file(file, path, folder)
        return _unpacked(entry, [path for _, path in there], folder) or root
    return root


def _unpacked(entry: DataSet, files: list[Path], folder: Path) -> Path | None:
    """Unpack the archives among some files, and return their folder, or None if there are no archives."""
    archives = [path for path in files if path.suffix == _ARCHIVE]
    for path in archives:
        unpacked(path, folder / _UNPACKED, entry.members)
    return folder / _UNPACKED if archives else None
