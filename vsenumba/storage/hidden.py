"""Hidden temporary files and folders next to an output, and removal of those that killed writers left.

A writer locks its hidden file. The system releases the lock when the process ends, even if it is killed. So an unlocked
hidden file has no writer any more, and the next writer in the folder removes it.
"""

from __future__ import annotations

import os
import platform
import re
import secrets
import shutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_HAS_LOCKS = os.name == "posix"  # on other systems, files of killed writers stay
if _HAS_LOCKS:
    import fcntl

# The name contains the machine, as some network disks do not show the locks of other machines.
_PREFIX = f".vsenumba-{zlib.crc32(platform.node().encode()):08x}-"
_HIDDEN = re.compile(re.escape(_PREFIX) + r"[0-9a-f]{16}\.tmp(\..*)?")


@contextmanager
def hidden_path(folder: Path, suffix: str, *, tidy: bool = True) -> Iterator[Path]:
    """Yield an empty file with a unique name; remove it when the block ends, if it still exists.

    With `tidy`, first remove files that killed writers left in the folder.
    """
    with _held(folder, suffix, _make_file, tidy=tidy) as path:
        try:
            yield path
        finally:
            with suppress(OSError):
                path.unlink()


@contextmanager
def hidden_folder_in(folder: Path) -> Iterator[Path]:
    """Yield an empty folder with a unique name; remove it when the block ends."""
    with _held(folder, "", Path.mkdir) as path:
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _held(folder: Path, suffix: str, make: Callable[[Path], object], *, tidy: bool = True) -> Iterator[Path]:
    """Create a file or folder and hold its lock."""
    if tidy:
        remove_strays(folder)
    descriptor = None
    while descriptor is None:
        # Truncate the ending, as a name has at most 255 bytes; endings that select a format are short.
        path = folder / f"{_PREFIX}{secrets.token_hex(8)}.tmp{suffix[:16]}"
        make(path)
        descriptor = _lock(path)
    try:
        yield path
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _make_file(path: Path) -> None:
    # Not tempfile.mkstemp, whose files only the owner may read; the umask applies, as for any new file.
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666))


def _lock(path: Path) -> int | None:
    """Return a descriptor that locks the new file or folder; None if another writer removed it as a stray."""
    if not _HAS_LOCKS:
        return -1
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held = os.fstat(descriptor).st_nlink > 0
    except BlockingIOError:
        held = False
    except OSError:  # a disk without locks: other writers cannot lock it either
        held = True
    if held:
        return descriptor
    os.close(descriptor)
    return None


def remove_strays(folder: Path) -> None:
    """Remove the hidden files and folders that killed writers left in a folder."""
    if not _HAS_LOCKS:
        return
    with suppress(OSError), os.scandir(folder) as entries:
        for stray in [entry.path for entry in entries if _HIDDEN.fullmatch(entry.name)]:
            with suppress(OSError):
                _remove_unless_held(stray)


def _remove_unless_held(stray: str) -> None:
    descriptor = os.open(stray, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        if os.path.isdir(stray):  # noqa: PTH112
            shutil.rmtree(stray)
        else:
            os.unlink(stray)  # noqa: PTH108
    finally:
        os.close(descriptor)
