"""Files that appear whole or not at all: written beside the target, synced, then renamed over it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from os import PathLike
from pathlib import Path
from typing import BinaryIO

from vsenumba.errors import InputError
from vsenumba.storage.hidden import hidden_folder_in, hidden_path
from vsenumba.storage.targets import find_target, find_target_or_stream, name_of


@contextmanager
def atomic_path(path: str | PathLike[str], *, tidy: bool = True) -> Iterator[Path]:
    """Yield the path of an empty temporary file that takes the place of `path` when the block ends well.

    The temporary file lies in the same folder, is hidden, and has the ending of `path`, so that writers
    that choose a format by the ending work. When the block raises, it is removed and `path` is as it was. A
    process that is killed leaves at most the temporary file behind, which the next writer in that folder removes.

    Parameters
    ----------
    path : str or path-like
        The file to write. A symbolic link is followed. Of a file with several names (hard links) only this one becomes
        the new file.
    tidy : bool
        Whether to look for what killed writers left in the folder, which takes the longer the more files it has. Who
        writes thousands into one folder looks once.

    Yields
    ------
    pathlib.Path
        Where to write.

    Raises
    ------
    InputError
        If the file cannot be written: no such folder, no permission, a full disk; or `path` is a folder, a device, a
        pipe, or no path.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_path(Path(folder) / "table.txt") as temporary:
    ...         _ = temporary.write_text("done")
    ...     (Path(folder) / "table.txt").read_text()
    'done'
    """
    with named_errors(path):
        target = find_target(path)
        with hidden_path(target.parent, target.suffix, tidy=tidy) as temporary:
            yield temporary
            if target.exists():
                shutil.copymode(target, temporary)
            _sync(temporary, os.O_RDWR)
            os.replace(temporary, target)  # noqa: PTH105 - the tests of killed writers hook into os.replace
        if os.name == "posix":  # elsewhere a folder cannot be opened, and the rename needs no sync
            _sync(target.parent, os.O_RDONLY)


@contextmanager
def open_output(path: str | PathLike[str], *, streams: bool = False, tidy: bool = True) -> Iterator[BinaryIO]:
    r"""Open a file for writing bytes; it appears whole or not at all, see `atomic_path`.

    Parameters
    ----------
    path : str or path-like
        The file to write.
    streams : bool
        Whether `path` may be a pipe, a character device or an open file such as ``/dev/stdout``. These are written
        through, as they come, and cannot be sought in.
    tidy : bool
        As for `atomic_path`.

    Yields
    ------
    binary file
        To be written to, from its beginning to its end.

    Raises
    ------
    InputError
        As `atomic_path` does.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with open_output(Path(folder) / "table.csv", streams=True) as file:
    ...         _ = file.write(b"image,label\n")
    ...     (Path(folder) / "table.csv").read_bytes()
    b'image,label\n'
    """
    with named_errors(path):
        is_stream = streams and find_target_or_stream(path) is None
        if is_stream:
            with Path(path).open("wb") as file:
                yield file
    if not is_stream:
        with atomic_path(path, tidy=tidy) as temporary, temporary.open("wb") as file:
            yield file


@contextmanager
def hidden_folder(path: str | PathLike[str]) -> Iterator[Path]:
    """Yield an empty hidden folder beside a file that is to be written, for what is needed until then.

    It is removed when the block ends; that of a process that is killed is removed by the next writer in the folder.
    """
    with ExitStack() as stack:
        with named_errors(path):
            folder = stack.enter_context(hidden_folder_in(find_target(path).parent))
        try:
            yield folder
        except InputError as error:
            # What cannot be written here is part of that file, whose name is known to people.
            if isinstance(error.__cause__, OSError) and str(folder) in str(error):
                with named_errors(path):
                    raise error.__cause__ from None
            raise


def check_writable(path: str | PathLike[str], *, streams: bool = False) -> None:
    """Make sure that a file can be written at `path`, before the work whose result it is to hold.

    Nothing is left behind, and a file that is there already is not touched.

    Parameters
    ----------
    path : str or path-like
        The file that is going to be written.
    streams : bool
        Whether it may be a stream, as in `open_output`.

    Raises
    ------
    InputError
        If the folder is missing or cannot be written to, or `path` is a folder, a device, a pipe, or no path.
    """
    with named_errors(path):
        target = find_target_or_stream(path) if streams else find_target(path)
        if target is not None:
            # Only creating a file tells: permission bits know nothing of read-only file systems or of root.
            with hidden_path(target.parent, target.suffix):
                pass


@contextmanager
def named_errors(path: str | PathLike[str]) -> Iterator[None]:
    """Turn what the system says against writing into an error that names the file.

    Raises
    ------
    InputError
        For an `OSError` in the block, but not for a reader of a stream who has read enough.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError(f"cannot write {name_of(path)}: {error.strerror or error}") from error


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
