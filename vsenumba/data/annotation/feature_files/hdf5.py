"""HDF5 files, from other programs or vsenumba: a dataset of features that stays on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vsenumba import storage
from vsenumba.data.annotation.feature_files.choosing import chosen_dataset, ids_among
from vsenumba.data.annotation.feature_files.table import FeatureTable, as_float32
from vsenumba.data.compression import is_compressed
from vsenumba.errors import FileFormatError

DESCRIPTION = "an HDF5 file"

_KEPT = ("uint8", "float16", "float32")


def recognises(path: Path, head: bytes) -> bool:
    """Return whether the file starts like an HDF5 file."""
    return head.startswith(storage.MAGIC)


def read(path: Path, dataset: str | None) -> FeatureTable:
    """Open the dataset, and read ids from another dataset. The file stays open while the features are in use."""
    import h5py

    if is_compressed(path):
        raise FileFormatError(f"{path}: a compressed HDF5 file; decompress it first")
    try:
        file = h5py.File(path, "r")
        there: dict[str, Any] = {}

        def add(name: str, one: Any) -> None:
            if isinstance(one, h5py.Dataset):
                there[name] = one

        file.visititems(add)
        name = chosen_dataset(path, there, dataset and dataset.strip("/"))
        features = there[name]
        ids = ids_among({key: one for key, one in there.items() if key != name}, features.shape[0])
        if features.dtype.name not in _KEPT or not features.dtype.isnative:
            features = as_float32(features, f"{path}, {name},")
    except (OSError, RuntimeError, KeyError) as error:
        raise FileFormatError(f"{path}: cannot be read as an HDF5 file: {error!s:.200}") from error
    return FeatureTable(features, ids)
