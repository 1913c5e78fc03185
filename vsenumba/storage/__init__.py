"""The HDF5 file format, specified in ``docs/reference/file-format.md``, and atomic writes."""

from vsenumba.storage.atomic import atomic_path, check_writable, hidden_folder, named_errors, open_output
from vsenumba.storage.encodings import Json, Stream
from vsenumba.storage.files import (
    FILE_VERSIONS,
    MAGIC,
    StoredFile,
    check_readable,
    content_of,
    exists,
    is_native,
    read_file,
    read_provenance,
    write_file,
)
from vsenumba.storage.mapped import blocks_of, release_pages
from vsenumba.storage.targets import check_name, ending_of

__all__ = [
    "FILE_VERSIONS",
    "MAGIC",
    "Json",
    "StoredFile",
    "Stream",
    "atomic_path",
    "blocks_of",
    "check_name",
    "check_readable",
    "check_writable",
    "content_of",
    "ending_of",
    "exists",
    "hidden_folder",
    "is_native",
    "named_errors",
    "open_output",
    "read_file",
    "read_provenance",
    "release_pages",
    "write_file",
]
