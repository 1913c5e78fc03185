"""NumPy archives: safety checks to run before you unpack one."""

from __future__ import annotations

import math
import zipfile
from typing import BinaryIO

import numpy as np

from vsenumba.data.compression import most_bytes
from vsenumba.errors import FileFormatError
from vsenumba.memory import check_memory

_READ_HEADER = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}

# The largest size that NumPy can count.
_LONGEST = np.iinfo(np.int64).max


def check_archive(stream: BinaryIO, n_bytes: int, advice: str) -> None:
    """Reject an ``.npz`` file that expands far too much or claims arrays larger than its content.

    Parameters
    ----------
    stream : binary stream
        The archive. The function rewinds it to the beginning.
    n_bytes : int
        The size of the file.
    advice : str
        What to do if the archive does not fit in memory, for the error message.

    Raises
    ------
    FileFormatError
        If the file is such an archive, or is not an archive at all.
    MemoryLimitError
        If the content does not fit in memory.
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
    """Reject an array that claims to be larger than its member: NumPy allocates memory before it reads the data."""
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
