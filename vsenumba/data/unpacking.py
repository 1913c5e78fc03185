"""Downloaded archives: unpack the members that are needed, once, and completely or not at all."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

from vsenumba.data.compression import most_bytes
from vsenumba.errors import FileFormatError, InputError
from vsenumba.storage import hidden_folder, named_errors


def unpacked(archive: Path, folder: Path, members: str = "") -> Path:
    """Return a folder with some members of a zip archive, and unpack them if the folder does not exist.

    Parameters
    ----------
    archive : Path
        The archive.
    folder : Path
        The folder to unpack to. It appears only when it is complete.
    members : str
        The prefix of the names of the members to unpack.

    Raises
    ------
    FileFormatError
        If the file is not a zip archive, is damaged, has no such member, or expands to far more than real data does.
    InputError
        If there is not enough disk space.
    """
    if folder.is_dir():
        return folder
    try:
        with zipfile.ZipFile(archive) as opened:
            wanted = [one for one in opened.infolist() if one.filename.startswith(members) and not one.is_dir()]
            if not wanted:
                raise FileFormatError(f"{archive} has no file whose name begins with {members!r}")
            size = sum(one.file_size for one in wanted)
            limit = most_bytes(archive.stat().st_size)
            if size > limit:
                raise FileFormatError(f"{archive} expands to {size:,} bytes, more than the limit of {limit:,}")
            with named_errors(folder):
                free = shutil.disk_usage(archive.parent).free
                if size > free:
                    raise InputError(
                        f"cannot unpack {archive}: it needs {size:,} bytes of disk space, and {free:,} are free"
                    )
                folder.parent.mkdir(parents=True, exist_ok=True)
                with hidden_folder(folder.parent / f"{folder.name}.zip") as hidden:
                    for one in wanted:
                        opened.extract(one, hidden / folder.name)  # extract keeps every name inside the folder
                    os.replace(hidden / folder.name, folder)  # noqa: PTH105 - as everywhere a file is moved into place
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise FileFormatError(f"{archive} is not a zip archive, or is damaged: {error}") from error
    return folder
