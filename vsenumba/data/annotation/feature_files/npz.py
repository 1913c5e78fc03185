"""NumPy archives: a sparse matrix from ``scipy.sparse.save_npz``, or an array of features and optionally one of ids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from vsenumba.data.annotation.feature_files.choosing import chosen_dataset, ids_among
from vsenumba.data.annotation.feature_files.table import FeatureTable
from vsenumba.data.archives import check_archive
from vsenumba.data.compression import open_decompressed
from vsenumba.errors import FileFormatError, InputError, MemoryLimitError, UnknownNameError

DESCRIPTION = "an .npz file, including those of scipy.sparse.save_npz"


def recognises(path: Path, head: bytes) -> bool:
    """Return whether the file starts like a zip archive."""
    return head.startswith(b"PK\x03\x04")


def read(path: Path, dataset: str | None) -> FeatureTable:
    """Read the features, and the ids if the archive has an array of ids."""
    with open_decompressed(path) as stream:
        try:
            check_archive(stream, path.stat().st_size, "save the features as .npy, which stays on disk")
            archive = np.load(stream, allow_pickle=False)
            if {"format", "shape", "data"} <= set(archive.files):
                stream.seek(0)
                return FeatureTable(sp.csr_array(sp.load_npz(stream)))
            arrays: dict[str, Any] = {name: archive[name] for name in archive.files}
            name = chosen_dataset(path, arrays, dataset)
            return FeatureTable(arrays[name], ids_among(arrays, len(arrays[name])))
        except (FileFormatError, InputError, MemoryLimitError) as error:
            raise type(error)(str(error) if str(path) in str(error) else f"{path}: {error}") from error
        except UnknownNameError:
            raise
        except Exception as error:  # a damaged file can raise any exception of zipfile, NumPy or SciPy
            reason = " ".join(str(error).split())
            raise FileFormatError(f"{path}: cannot be read as an .npz file: {reason:.200}") from error
