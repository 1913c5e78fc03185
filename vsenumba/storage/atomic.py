"""Files that appear whole or not at all: written beside the target, synced, then renamed over it."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path

from vsenumba.errors import InputError


@contextmanager
def atomic_path(path: str | PathLike[str]) -> Iterator[Path]:
    """Yield the path of an empty temporary file that takes the place of `path` when the block ends well.

    The temporary file lies in the same folder, is hidden, and has the ending of `path`, so that writers
    that choose a format by the ending work. When the block raises, it is removed and `path` is as it was. A
    process that is killed leaves at most the temporary file behind.

    Parameters
    ----------
    path : str or path-like
        The file to write. A symbolic link is followed.

    Yields
    ------
    pathlib.Path
        Where to write.

    Raises
    ------
    InputError
        If the file cannot be written: no such folder, no permission, a full disk.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_path(Path(folder) / "table.txt") as temporary:
    ...         _ = temporary.write_text("done")
    ...     (Path(folder) / "table.txt").read_text()
    'done'
    """
    target = Path(os.path.realpath(path))
    try:
        temporary = _create_beside(target)
        try:
            yield temporary
            if target.exists():
                shutil.copymode(target, temporary)
            _sync(temporary, os.O_RDWR)
            os.replace(temporary, target)  # noqa: PTH105 - the tests of killed writers hook into os.replace
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        if os.name == "posix":  # elsewhere a folder cannot be opened, and the rename needs no sync
            _sync(target.parent, os.O_RDONLY)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error


def check_writable(path: str | PathLike[str]) -> None:
    """Make sure that a file can be written at `path`, before the work whose result it is to hold.

    Nothing is left behind, and a file that is there already is not touched.

    Parameters
    ----------
    path : str or path-like
        The file that is going to be written.

    Raises
    ------
    InputError
        If the folder is missing or cannot be written to, or `path` is a folder.
    """
    target = Path(os.path.realpath(path))
    try:
        # Only creating a file tells: permission bits know nothing of read-only file systems or of root.
        _create_beside(target).unlink()
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error


def _create_beside(target: Path) -> Path:
    if target.is_dir():
        raise InputError(f"cannot write {target}: it is a folder")
    if not target.parent.is_dir():
        raise InputError(f"cannot write {target}: there is no folder {target.parent}")
    temporary = target.parent / f".{secrets.token_hex(8)}.tmp{target.suffix}"
    # Not tempfile.mkstemp, whose files only their owner may read: the umask decides, as for any new file.
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666))
    return temporary


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
