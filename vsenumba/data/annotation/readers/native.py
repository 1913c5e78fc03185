"""The package's own HDF5 files of the kind ``annotation-set``."""

from __future__ import annotations

from os import PathLike

from vsenumba import storage
from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.readers.options import TableOptions, refuse_options
from vsenumba.data.compression import is_compressed
from vsenumba.errors import FileFormatError

DESCRIPTION = "a native .h5 file"


def recognises(head: bytes, name: str) -> bool:
    """Tell whether `head` is that of an HDF5 file."""
    return head.startswith(storage.MAGIC)


def read(path: str | PathLike[str], options: TableOptions) -> AnnotationSet:
    """Read an annotation set that `AnnotationSet.save` wrote."""
    refuse_options(path, options)
    if is_compressed(path):
        raise FileFormatError(f"{path}: a compressed HDF5 file; decompress it first")
    elements = storage.read_file(path, "annotation-set").elements
    with storage.content_of(path):
        return AnnotationSet.from_elements(elements)
