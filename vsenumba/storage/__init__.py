"""The HDF5 file format of data sets, corpora, models and runs, specified in ``docs/file-format.md``; atomic writes."""

from vsenumba.storage.atomic import atomic_path, check_writable
from vsenumba.storage.encodings import BLOCK_VALUES, Json, Stream
from vsenumba.storage.files import FILE_VERSIONS, MAGIC, StoredFile, is_native, read_file, write_file

__all__ = [
    "BLOCK_VALUES",
    "FILE_VERSIONS",
    "MAGIC",
    "Json",
    "StoredFile",
    "Stream",
    "atomic_path",
    "check_writable",
    "is_native",
    "read_file",
    "write_file",
]
