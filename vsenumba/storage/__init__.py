"""The HDF5 file format of data sets, models and runs, specified in ``docs/file-format.md``; atomic writes."""

from vsenumba.storage.atomic import atomic_path, check_writable
from vsenumba.storage.encodings import Json, Stream
from vsenumba.storage.files import FILE_VERSIONS, StoredFile, read_file, write_file

__all__ = ["FILE_VERSIONS", "Json", "StoredFile", "Stream", "atomic_path", "check_writable", "read_file", "write_file"]
