"""The attributes of every HDF5 object in the format: its type, the version of the type, and a checksum."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from vsenumba.errors import FileFormatError

# The longest type name has 12 characters.
_LONGEST_TEXT = 64


def label(node: Any, kind: str, version: int, checksum: int) -> None:
    """Write the attributes of an HDF5 object, as text of fixed length to stay out of the heap."""
    node.attrs["encoding-type"] = np.bytes_(kind)
    node.attrs["encoding-version"] = np.bytes_(str(version))
    node.attrs["crc32"] = np.uint32(checksum)


def read_label(node: Any, where: str) -> tuple[str, int]:
    """Return the type and the version of an HDF5 object of the format."""
    kind, version = (_read_text(node, name, where) for name in ("encoding-type", "encoding-version"))
    if not re.fullmatch("0|[1-9][0-9]{0,8}", version):
        raise FileFormatError(f"{where} has the format version {version!r}, which is not a whole number")
    return kind, int(version)


def read_attribute(node: Any, name: str, dtype: str, shape: tuple[int, ...], where: str) -> np.ndarray:
    """Return an attribute of numbers; refuse another dtype or shape."""
    _check_there(node, name, where)
    found = node.attrs.get_id(name)
    if found.dtype != np.dtype(dtype) or found.shape != shape:
        raise FileFormatError(
            f"the attribute {name} of {where} is {found.dtype} of shape {found.shape}; expected {dtype} "
            f"of shape {shape}"
        )
    return np.asarray(node.attrs[name])


def check_checksum(node: Any, checksum: int, where: str) -> None:
    """Refuse an object whose content does not match its checksum."""
    if checksum != read_attribute(node, "crc32", "<u4", (), where):
        raise FileFormatError(f"{where} is damaged: its checksum does not match its content")


def check_version(found: int, known: int, where: str) -> None:
    """Refuse a version that is newer than this package supports, or invalid."""
    if found > known:
        raise FileFormatError(
            f"{where} was written by a newer vsenumba (format version {found}, supported: {known}); "
            "update with pip install -U vsenumba"
        )
    if found < 1:
        raise FileFormatError(f"{where} has the format version {found}, which does not exist")


def _read_text(node: Any, name: str, where: str) -> str:
    _check_there(node, name, where)
    found = node.attrs.get_id(name)
    if found.dtype.kind != "S" or found.shape != () or found.dtype.itemsize > _LONGEST_TEXT:
        raise FileFormatError(f"the attribute {name} of {where} is not a short text of fixed length")
    return bytes(node.attrs[name]).decode("ascii", "backslashreplace")


def _check_there(node: Any, name: str, where: str) -> None:
    if name not in node.attrs:
        raise FileFormatError(f"{where} has no attribute {name}")
