"""Atomic writes: a file is written next to its target, synced, then renamed over the target."""

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
    """Yield the path of an empty temporary file that replaces `path` if the block succeeds.

    The temporary file is hidden, in the same folder, and has the ending of `path`, so that writers can choose a
    format by the ending. If the block raises, the temporary file is removed and `path` stays unchanged. A killed
    process leaves at most the temporary file behind, which the next writer in that folder removes.

    Parameters
    ----------
    path : str or path-like
        The file to write. A symbolic link is followed. If a file has several names (hard links), only this name refers
        to the new file.
    tidy : bool
        Whether to search the folder for files that killed writers left. The search takes longer in larger folders, so
        a caller that writes thousands of files into one folder searches once.

    Yields
    ------
    pathlib.Path
        The temporary file.

    Raises
    ------
    InputError
        If the file cannot be written (no such folder, no permission, a full disk), or `path` is a folder, a device, a
        pipe, or not a path.

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
    r"""Open a file for writing bytes, completely or not at all; see `atomic_path`.

    Parameters
    ----------
    path : str or path-like
        The file to write.
    streams : bool
        Whether `path` may be a pipe, a character device or an open file such as ``/dev/stdout``. Bytes are written to
        these directly, and they cannot seek.
    tidy : bool
        As for `atomic_path`.

    Yields
    ------
    binary file
        The open file; write it from beginning to end.

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
    """Yield an empty hidden folder next to an output file, for intermediate files.

    The folder is removed when the block ends. If the process is killed, the next writer in the parent folder removes
    it.
    """
    with ExitStack() as stack:
        with named_errors(path):
            folder = stack.enter_context(hidden_folder_in(find_target(path).parent))
        try:
            yield folder
        except InputError as error:
            # Report the output file, as the user does not know the hidden folder.
            if isinstance(error.__cause__, OSError) and str(folder) in str(error):
                with named_errors(path):
                    raise error.__cause__ from None
            raise


def check_writable(path: str | PathLike[str], *, streams: bool = False) -> None:
    """Check that a file can be written at `path`, before computing its content.

    The check leaves nothing behind, and does not change an existing file.

    Parameters
    ----------
    path : str or path-like
        The file to write later.
    streams : bool
        Whether it may be a stream, as in `open_output`.

    Raises
    ------
    InputError
        If the folder is missing or not writable, or `path` is a folder, a device, a pipe, or not a path.
    """
    with named_errors(path):
        target = find_target_or_stream(path) if streams else find_target(path)
        if target is not None:
            # Create a file to be sure: permission bits do not show read-only file systems or root's rights.
            with hidden_path(target.parent, target.suffix):
                pass


@contextmanager
def named_errors(path: str | PathLike[str]) -> Iterator[None]:
    """Convert an `OSError` from writing into an error that names the file.

    Raises
    ------
    InputError
        For an `OSError` in the block, except `BrokenPipeError`, which means that the reader of a stream has stopped.
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
