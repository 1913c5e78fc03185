"""Files with several arrays: choose the one with the features and the one with the ids."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vsenumba.data.annotation.feature_files.table import is_id_name, texts_of
from vsenumba.errors import FileFormatError, InputError, unknown_name


def chosen_dataset(path: Path, arrays: Mapping[str, Any], wanted: str | None) -> str:
    """Return the name of the features array: the requested one, or the only two-dimensional one.

    Raises
    ------
    UnknownNameError
        If there is no array of the requested name.
    InputError
        If there are several candidates.
    FileFormatError
        If there are no candidates.
    """
    if wanted is not None:
        if wanted not in arrays:
            raise unknown_name("dataset", wanted, arrays)
        return wanted
    tables = [name for name, one in arrays.items() if len(one.shape) == 2 and one.dtype.kind in "buif"]
    if not tables:
        held = ", ".join(f"{name} {one.dtype} {one.shape}" for name, one in arrays.items()) or "nothing"
        raise FileFormatError(f"{path} has no two-dimensional array of numbers; it contains {held:.200}")
    if len(tables) > 1:
        raise InputError(
            f"{path} has several arrays: {', '.join(tables):.200}; choose one with --feature-dataset "
            f"{tables[0]} (in Python "
            f"dataset={tables[0]!r})"
        )
    return tables[0]


def ids_among(arrays: Mapping[str, Any], n_rows: int) -> list[str] | None:
    """Return the ids from an array of `n_rows` texts, or of whole numbers with a usual id name, or None."""
    found = []
    for name, one in arrays.items():
        if len(one.shape) != 1 or one.shape[0] != n_rows:
            continue
        called = is_id_name(name.rpartition("/")[2])
        if one.dtype.kind in "SUOT" or (called and one.dtype.kind in "iu"):
            found.append((not called, name))
    if not found or (len(found) > 1 and sorted(found)[0][0] == sorted(found)[1][0]):
        return None
    return texts_of(np.asarray(arrays[min(found)[1]][...]))
