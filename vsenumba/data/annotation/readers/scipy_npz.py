"""NumPy archives: a sparse matrix from ``scipy.sparse.save_npz``, or one dense array of images by labels."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import numpy as np
import scipy.sparse as sp

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.readers.options import TableOptions, refuse_options
from vsenumba.data.archives import check_archive
from vsenumba.data.compression import open_decompressed
from vsenumba.errors import FileFormatError, InputError, MemoryLimitError

NAME = "npz"
DESCRIPTION = "an .npz file of scipy.sparse.save_npz or of one images-by-labels array"
MAGIC = b"PK\x03\x04"


def recognises(path: Path, head: bytes) -> bool:
    """Return whether `head` is the start of a zip archive, as an .npz file is one."""
    return head.startswith(MAGIC)


def read(path: Path, options: TableOptions) -> AnnotationSet:
    """Read a matrix with one row per image and one column per label, both named by their numbers."""
    refuse_options(path, options)
    with open_decompressed(path) as stream:
        try:
            check_archive(stream, Path(path).stat().st_size, "keep it in a file of pairs, or as a sparse matrix")
            matrix = _matrix(stream)
        except (FileFormatError, MemoryLimitError) as error:
            raise type(error)(f"{path}: {error}") from error
        except Exception as error:  # a damaged file can raise any exception of zipfile, NumPy or SciPy
            reason = " ".join(str(error).split())
            raise FileFormatError(f"{path}: cannot be read as an .npz file: {reason:.200}") from error
    try:
        return AnnotationSet.from_csr(matrix)
    except InputError as error:
        raise FileFormatError(f"{path}: {error}") from error


def _matrix(stream: IO[bytes]) -> Any:
    archive = np.load(stream, allow_pickle=False)
    members = archive.files
    if "[Content_Types].xml" in members:
        raise FileFormatError("this is a spreadsheet or another office document; save it as CSV in UTF-8")
    if {"format", "shape", "data"} <= set(members):
        stream.seek(0)
        return sp.load_npz(stream)
    if len(members) != 1:
        held = ", ".join(members) or "nothing"
        raise FileFormatError(
            f"expected one array, or a sparse matrix written by save_npz; the archive contains {held}"
        )
    return archive[members[0]]
