"""NumPy archives: what is refused before any of it is unpacked."""

from __future__ import annotations

import math
import zipfile
from typing import BinaryIO

import numpy as np

from vsenumba.data.compression import most_bytes
from vsenumba.errors import FileFormatError
from vsenumba.memory import check_memory

_READ_HEADER = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}

# What NumPy counts with.
_LONGEST = np.iinfo(np.int64).max


def check_archive(stream: BinaryIO, n_bytes: int, advice: str) -> None:
    """Refuse an ``.npz`` file that expands to far more than real data, or claims arrays that it does not hold.

    Parameters
    ----------
    stream : binary stream
        The archive; it is left at its beginning.
    n_bytes : int
        The size of the file.
    advice : str
        What to do with an archive that memory does not hold.

    Raises
    ------
    FileFormatError
        If it is such an archive, or none.
    MemoryLimitError
        If memory does not hold what is in it.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
            size, limit = sum(member.file_size for member in members), most_bytes(n_bytes)
            if size > limit:
                raise FileFormatError(
                    f"the archive expands to {size:,} bytes, more than the limit of {limit:,} for its "
                    "size; if the file is "
                    "genuine, save it without compression (np.savez)"
                )
            check_memory(size, "reading the archive", advice)
            for member in members:
                if member.filename.endswith(".npy"):
                    _check_header(archive, member)
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError, EOFError, RuntimeError) as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(f"cannot be read as an .npz file: {error}") from error
    stream.seek(0)


def _check_header(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Refuse an array that says to be larger than its member, as room for it would be taken before it is read."""
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        if version not in _READ_HEADER:
            raise FileFormatError(f"{member.filename} uses .npy version {version}, which is not supported")
        shape, _, dtype = _READ_HEADER[version](file)
    claimed = math.prod(shape) * dtype.itemsize
    if claimed > member.file_size:
        raise FileFormatError(f"{member.filename} claims {claimed:,} bytes but has {member.file_size:,}")
    if not all(0 <= n <= _LONGEST for n in shape):
        raise FileFormatError(f"{member.filename} claims the invalid shape {shape}")
