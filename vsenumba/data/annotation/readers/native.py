"""Native HDF5 files of the kind ``annotation-set``."""

from __future__ import annotations

from pathlib import Path

from vsenumba import storage
from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.readers.options import TableOptions, refuse_options
from vsenumba.data.compression import is_compressed
from vsenumba.errors import FileFormatError

NAME = "native"
DESCRIPTION = "a native .h5 file"
#: Smaller files are read into memory.
MAPPED_BYTES = 1 << 28


def recognises(path: Path, head: bytes) -> bool:
    """Return whether `head` is the start of an HDF5 file."""
    return head.startswith(storage.MAGIC)


def read(path: Path, options: TableOptions) -> AnnotationSet:
    """Read an annotation set that `AnnotationSet.save` wrote."""
    refuse_options(path, options)
    if is_compressed(path):
        raise FileFormatError(f"{path}: a compressed HDF5 file; decompress it first")
    return read_set(path, on_disk=Path(path).stat().st_size > MAPPED_BYTES)


def read_set(path: Path, *, on_disk: bool) -> AnnotationSet:
    """Read an annotation set. If `on_disk` is true, pairs and features stay on disk, and can be larger than memory."""
    mapped = ("features", "indices") if on_disk else ()
    elements = storage.read_file(path, "annotation-set", mapped=mapped).elements
    with storage.content_of(path):
        return AnnotationSet.from_elements(elements)
