"""Whole files: a kind, a version, named elements, and the versions of the software that wrote them."""

from __future__ import annotations

import stat
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from vsenumba.errors import FileFormatError, InputError, MemoryLimitError, VsenumbaError, unknown_name
from vsenumba.storage.atomic import atomic_path
from vsenumba.storage.encodings import Json, read_element, read_members, write_members
from vsenumba.storage.headers import check_checksum, check_version, label, read_label
from vsenumba.storage.layout import check_layout
from vsenumba.storage.provenance import provenance
from vsenumba.storage.schema import Elements, Object, Text, check
from vsenumba.storage.sink import Sink

# The newest version of each kind of file. Raise a version when readers of the old one could misread the new one.
FILE_VERSIONS = {"annotation-set": 1, "caption-set": 1, "corpus": 1, "model": 1, "runs": 1}

# The first bytes of an HDF5 file.
MAGIC = b"\x89HDF\r\n\x1a\n"

# Object headers with checksums, so that HDF5 detects damaged ones; HDF5 1.8 (2008) can read them.
LIBVER = ("v108", "v108")

# The errors that h5py raises for damage that HDF5 detects.
_HDF5_ERRORS = (OSError, RuntimeError, KeyError, ValueError, TypeError)

_PROVENANCE = Elements({"provenance": Object({}, each=Text())})


@dataclass(frozen=True)
class StoredFile:
    """The content of a file.

    Attributes
    ----------
    kind : str
        A key of `FILE_VERSIONS`.
    version : int
        The format version of that kind.
    elements : dict
        The elements by name: arrays, CSR arrays, bare JSON values, dicts of elements.
    provenance : dict
        The versions of the software that wrote the file.
    """

    kind: str
    version: int
    elements: dict[str, Any]
    provenance: dict[str, str]


def write_file(path: str | PathLike[str], kind: str, elements: Mapping[str, Any]) -> None:
    """Write elements to a native file, completely or not at all.

    Parameters
    ----------
    path : str or path-like
        The file; an existing file is replaced.
    kind : str
        The kind of content: a key of `FILE_VERSIONS`.
    elements : mapping of str to element
        Numeric or boolean arrays, whole or as a `Stream`, ``StringDType`` arrays, SciPy CSR arrays, `Json`
        values, and mappings of these.

    Raises
    ------
    InputError
        If an element is of another type (the message names it) or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/model.h5"
    ...     write_file(path, "model", {"rate": Json(0.1), "table": np.zeros((2, 3))})
    ...     stored = read_file(path, "model")
    >>> stored.elements["rate"], stored.elements["table"].shape
    (0.1, (2, 3))
    """
    import h5py

    if kind not in FILE_VERSIONS:
        raise unknown_name("kind of file", kind, FILE_VERSIONS)
    if "provenance" in elements:
        raise InputError("an element cannot be named 'provenance', as every file already has an element of this name")
    version = FILE_VERSIONS[kind]
    with atomic_path(path) as temporary, temporary.open("r+b", buffering=0) as raw, Sink(raw) as sink:
        members = {name: sink.watched(element) for name, element in elements.items()}
        with h5py.File(sink, "w", libver=LIBVER, track_order=True) as file:
            checksum = write_members(file, {**members, "provenance": Json(provenance())}, "", _head(kind, version))
            label(file, kind, version, checksum)
            file.flush()


def read_file(path: str | PathLike[str], kind: str | None = None, *, mapped: Collection[str] = ()) -> StoredFile:
    """Read a native file into memory and check all of it.

    Parameters
    ----------
    path : str or path-like
        The file.
    kind : str, optional
        The required kind of content; by default, any known kind.
    mapped : collection of str
        Arrays to open as read-only memory maps instead of reading them into memory.

    Returns
    -------
    StoredFile
        The elements of the file, by name.

    Raises
    ------
    InputError
        If the file does not exist or cannot be read.
    MemoryLimitError
        If the file does not fit into memory.
    FileFormatError
        If the file has another format, is damaged, is not of the required kind, or was written by a newer version.
    """
    import h5py

    check_readable(path)
    # A file is never changed in place, so a lock would protect nothing, and some network disks have none.
    with content_of(path), _hdf5_errors(), h5py.File(path, "r", locking=False) as file:
        return _read_open_file(file, Path(path).stat().st_size, kind, mapped)


@contextmanager
def _hdf5_errors() -> Iterator[None]:
    """Turn errors of HDF5 into errors of this package."""
    try:
        yield
    except VsenumbaError:
        raise
    except MemoryError as error:
        raise MemoryLimitError(f"too large for the available memory: {error}") from error
    except _HDF5_ERRORS as error:
        reason = " ".join(str(error).split())
        raise FileFormatError(f"not a vsenumba file, or damaged: {reason:.200}") from error


def read_provenance(path: str | PathLike[str]) -> tuple[str, dict[str, str]]:
    """Return the kind of a native file and the versions of what wrote it, without reading the rest.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    kind : str
        A key of `FILE_VERSIONS`.
    provenance : dict of str to str
        The versions, by package.

    Raises
    ------
    InputError, FileFormatError
        As `read_file` does.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_file(f"{folder}/model.h5", "model", {"rate": Json(0.1)})
    ...     kind, wrote = read_provenance(f"{folder}/model.h5")
    >>> kind, "numpy" in wrote
    ('model', True)
    """
    import h5py

    check_readable(path)
    with content_of(path), _hdf5_errors(), h5py.File(path, "r", locking=False) as file:
        found, _ = _checked_label(file, Path(path).stat().st_size, None)
        if "provenance" not in file:
            raise FileFormatError("provenance is missing")
        value, _ = read_element(file, "provenance", "provenance")
        check(_PROVENANCE, {"provenance": value})
        return found, value


@contextmanager
def content_of(path: str | PathLike[str]) -> Iterator[None]:
    """Add the file's name to errors in its content, and convert them to one type of error.

    Parameters
    ----------
    path : str or path-like
        The file.

    Raises
    ------
    MemoryLimitError
        If the content does not fit into memory.
    FileFormatError
        For every other error of this package.

    Examples
    --------
    >>> with content_of("set.h5"):
    ...     raise InputError("indices is missing")
    Traceback (most recent call last):
    ...
    vsenumba.errors.FileFormatError: set.h5: indices is missing
    """
    try:
        yield
    except MemoryLimitError as error:
        raise MemoryLimitError(f"{path}: {error}") from error
    except VsenumbaError as error:
        raise FileFormatError(f"{path}: {error}") from error


def check_readable(path: str | PathLike[str]) -> None:
    """Refuse a path that is not a file, or a file that cannot be read; streams are refused, as they cannot seek."""
    if "\0" in str(path):
        raise InputError(f"cannot read {str(path)!r}: a file name cannot contain a NUL character")
    try:
        kind = Path(path).stat().st_mode
        if stat.S_ISREG(kind) or stat.S_ISDIR(kind):
            with Path(path).open("rb"):
                return
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:  # half a character, the character 0
        raise InputError(f"cannot read {path!a}: not a valid file name") from error
    except TypeError as error:
        raise InputError(f"cannot read an object of type {type(path).__name__}: give the path of a file") from error
    raise InputError(f"cannot read {path}: it is a stream or a device, not a file")


def exists(path: str | PathLike[str]) -> bool:
    """Return whether a file or folder exists.

    Raises
    ------
    InputError
        If the system cannot tell, as for a name that is too long or in a folder that cannot be read.
    """
    try:
        Path(path).stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):  # a NUL character raises a ValueError
        return False
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    return True


def is_native(path: str | PathLike[str]) -> bool:
    """Return whether a file begins like an HDF5 file.

    Raises
    ------
    InputError
        If the file does not exist or cannot be read.
    """
    check_readable(path)
    with Path(path).open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def _checked_label(file: Any, n_bytes: int, kind: str | None) -> tuple[str, int]:
    """Return the kind and the version of an open file, having checked these and its layout."""
    if "encoding-type" not in file.attrs:
        raise FileFormatError("an HDF5 file that vsenumba did not write (it has no encoding-type)")
    found, version = read_label(file, "the file")
    if kind is not None and found != kind:
        raise FileFormatError(f"a file of kind {found!r}, expected {kind!r}")
    if found not in FILE_VERSIONS:
        raise FileFormatError(f"a file of the unknown kind {found!r}; known kinds are {', '.join(FILE_VERSIONS)}")
    check_version(version, FILE_VERSIONS[found], "the file")
    check_layout(file, n_bytes)
    return found, version


def _read_open_file(file: Any, n_bytes: int, kind: str | None, mapped: Collection[str]) -> StoredFile:
    found, version = _checked_label(file, n_bytes, kind)
    elements, checksum = read_members(file, "", _head(found, version), mapped)
    check_checksum(file, checksum, "the file")
    check(_PROVENANCE, elements)
    return StoredFile(found, version, elements, elements.pop("provenance"))


def _head(kind: str, version: int) -> str:
    return f"file {kind} {version}\n"
