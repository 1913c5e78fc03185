"""Files and folders that are hidden beside a target while it is written, and what killed writers left of them.

A writer holds a lock on what it hid. The system lets go of it when the process ends, however it ends: what nobody holds
has no writer any more, and the next one that works in the folder removes it.
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

_HAS_LOCKS = os.name == "posix"  # elsewhere what a killed writer left stays
if _HAS_LOCKS:
    import fcntl

# The machine is part of the name, for not all network disks tell one machine of the locks of another.
_PREFIX = f".vsenumba-{zlib.crc32(platform.node().encode()):08x}-"
_HIDDEN = re.compile(re.escape(_PREFIX) + r"[0-9a-f]{16}\.tmp(\..*)?")


@contextmanager
def hidden_path(folder: Path, suffix: str, *, tidy: bool = True) -> Iterator[Path]:
    """Yield an empty file with a name that nobody has, and remove it, if it is there still, when the block ends.

    With `tidy`, what killed writers left in the folder is removed first.
    """
    with _held(folder, suffix, _make_file, tidy=tidy) as path:
        try:
            yield path
        finally:
            with suppress(OSError):
                path.unlink()


@contextmanager
def hidden_folder_in(folder: Path) -> Iterator[Path]:
    """Yield an empty folder with a name that nobody has, and remove it when the block ends."""
    with _held(folder, "", Path.mkdir) as path:
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _held(folder: Path, suffix: str, make: Callable[[Path], object], *, tidy: bool = True) -> Iterator[Path]:
    """Make something and hold its lock."""
    if tidy:
        remove_strays(folder)
    descriptor = None
    while descriptor is None:
        # Cut, as a name has at most 255 bytes; formats are told by short endings.
        path = folder / f"{_PREFIX}{secrets.token_hex(8)}.tmp{suffix[:16]}"
        make(path)
        descriptor = _lock(path)
    try:
        yield path
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _make_file(path: Path) -> None:
    # Not tempfile.mkstemp, whose files only their owner may read: the umask decides, as for any new file.
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666))


def _lock(path: Path) -> int | None:
    """Return a descriptor that holds the lock of what was just made; None where a cleaner took it for a stray."""
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
    except OSError:  # a disk without locks, on which no cleaner gets one either
        held = True
    if held:
        return descriptor
    os.close(descriptor)
    return None


def remove_strays(folder: Path) -> None:
    """Remove what writers that are gone have left in a folder."""
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
