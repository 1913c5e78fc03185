"""Native files of caption sets."""

from __future__ import annotations

from pathlib import Path

from vsenumba.data.captions.caption_set import CaptionSet
from vsenumba.errors import InputError
from vsenumba.storage import is_native

DESCRIPTION = "a native .h5 file"


def recognises(path: Path) -> bool:
    """Return whether the file is an HDF5 file."""
    return path.is_file() and is_native(path)


def read(path: Path, features: Path | None) -> CaptionSet:
    """Open the file, which includes the features."""
    if features is not None:
        raise InputError(f"{path} already contains features; leave out features")
    return CaptionSet.load(path)
