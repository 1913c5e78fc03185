"""What every HDF5 object of the format carries: its type, the version of that, and a checksum."""

from __future__ import annotations

from typing import Any

import numpy as np

from vsenumba.errors import FileFormatError


def label(node: Any, kind: str, version: int, checksum: int) -> None:
    """Write what every HDF5 object of the format carries, as text of fixed length to stay out of the heap."""
    node.attrs["encoding-type"] = np.bytes_(kind)
    node.attrs["encoding-version"] = np.bytes_(str(version))
    node.attrs["crc32"] = np.uint32(checksum)


def read_label(node: Any) -> tuple[str, int]:
    """Return the type and the version of an HDF5 object of the format."""
    return node.attrs["encoding-type"].decode(), int(node.attrs["encoding-version"])


def check_checksum(node: Any, checksum: int, where: str) -> None:
    """Refuse an object whose content does not have the checksum that it carries."""
    if checksum != node.attrs["crc32"]:
        raise FileFormatError(f"{where} is damaged: its checksum does not fit its content")


def check_version(found: int, known: int, where: str) -> None:
    """Refuse a version that is newer than the one this package knows, or none at all."""
    if found > known:
        raise FileFormatError(
            f"{where} was written by a newer vsenumba (format version {found}, known is {known}); "
            "update with pip install -U vsenumba"
        )
    if found < 1:
        raise FileFormatError(f"{where} has the format version {found}, which never was")
