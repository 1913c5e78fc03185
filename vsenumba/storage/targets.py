"""Checks of output paths: a regular file, or a stream if the format allows it."""

from __future__ import annotations

import errno
import os
import re
import stat
from os import PathLike
from pathlib import Path

from vsenumba.errors import InputError

# The folders whose entries are the open files of a process.
_DESCRIPTORS = re.compile(r"/dev/fd|/proc/(self|thread-self|\d+)(/task/\d+)?/fd")
_STREAMS = (stat.S_IFIFO, stat.S_IFCHR)
_NO_FILES = {stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device", stat.S_IFSOCK: "a socket"}


def name_of(path: str | PathLike[str]) -> str:
    """Return a path as text; refuse anything else, such as an open file."""
    try:
        name = os.fsdecode(path)
    except TypeError:
        raise InputError(
            f"cannot write to an object of type {type(path).__name__}; give the path of a file, such as 'model.h5'"
        ) from None
    if "\0" in name:
        raise InputError(f"cannot write {name!r}: a file name cannot contain the character 0")
    try:
        os.fsencode(name)
    except UnicodeEncodeError as error:
        raise InputError(f"cannot write {name!a}: a file name cannot contain half a character") from error
    return name


def ending_of(path: str | PathLike[str]) -> str:
    """Return the ending of a path, in lower case."""
    return Path(name_of(path)).suffix.lower()


def check_name(path: str | PathLike[str]) -> None:
    """Refuse a name that only a folder can have."""
    name = name_of(path)
    last = os.path.basename(name)  # noqa: PTH119 - a Path would drop the slash
    if name and last in ("", os.curdir, os.pardir):
        what = "it is a folder" if os.path.isdir(name) else f"only a folder's name ends in {last or os.sep!r}"  # noqa: PTH112
        raise InputError(f"cannot write {name}: {what}")


def find_target(path: str | PathLike[str]) -> Path:
    """Return the regular file that a path names, which may not exist yet.

    Links are followed, even to a missing file, so that the link stays and its target is replaced.

    Raises
    ------
    InputError
        If it is not a regular file, its folder does not exist, or it is not a path.
    OSError
        If the file is protected, its name is too long, or its links form a loop.
    """
    target = find_target_or_stream(path)
    if target is None:
        name = name_of(path)
        raise _not_regular(name, stat.S_IFMT(os.stat(name).st_mode))  # noqa: PTH116
    return target


def find_target_or_stream(path: str | PathLike[str]) -> Path | None:
    """Return the same as `find_target`; None for a pipe, a character device or an open file such as ``/dev/stdout``."""
    check_name(path)
    name = name_of(path)
    target = Path(os.path.realpath(name))
    if target.is_dir():
        raise InputError(f"cannot write {name}: it is a folder")
    for one in (os.path.dirname(name) or os.curdir, target.parent):  # noqa: PTH120
        if not os.path.isdir(one):  # noqa: PTH112
            raise InputError(f"cannot write {name}: there is no folder {one}")
    try:
        kind = stat.S_IFMT(os.stat(name).st_mode)  # noqa: PTH116 - likewise
    except FileNotFoundError:
        return target
    if not os.access(name, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    if kind in _STREAMS or (kind == stat.S_IFREG and _is_descriptor(name)):
        return None
    if kind != stat.S_IFREG:
        raise _not_regular(name, kind)
    return target


def _not_regular(name: str, kind: int) -> InputError:
    what = _NO_FILES.get(kind, "an open file")
    return InputError(f"cannot write {name}: it is {what}; give the name of a regular file")


def _is_descriptor(name: str) -> bool:
    """Return whether a name leads to an open file of a process, as ``/dev/stdout`` does."""
    while True:
        folder = os.path.dirname(name)  # noqa: PTH120 - a Path would resolve nothing either
        if _DESCRIPTORS.fullmatch(os.path.realpath(folder)) or folder == "/dev/fd":
            return True
        if not os.path.islink(name):  # noqa: PTH114
            return False
        name = os.path.join(folder, os.readlink(name))  # noqa: PTH115, PTH118
