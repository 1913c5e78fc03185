"""Parquet tables, written as their rows come; it needs the extra ``frames``."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping
from os import PathLike
from typing import Any

import numpy as np

from vsenumba.errors import InputError
from vsenumba.storage import open_output


def check_parquet(path: str | PathLike[str]) -> None:
    """Make sure, before the work, that Parquet can be written.

    Raises
    ------
    InputError
        If pyarrow is not installed.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise InputError(f"writing Parquet to {path} needs pyarrow; install it with pip install 'vsenumba[frames]'")


def write_parquet(path: str | PathLike[str], batches: Iterable[Mapping[str, Any]]) -> None:
    """Write a table, whole or not at all; only one batch of rows is in memory at a time.

    Parameters
    ----------
    path : str or path-like
        The file.
    batches : iterable of mappings
        The columns by name, the same in each, which becomes a row group: lists of texts, arrays of numbers, or arrays
        of two dimensions, whose rows become lists of that length. There must be one batch at least; it may be empty.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = None
    with open_output(path) as file:
        for batch in batches:
            table = pa.table({name: _column(values) for name, values in batch.items()})
            writer = writer or pq.ParquetWriter(file, table.schema)
            writer.write_table(table)
        if writer is not None:
            writer.close()


def _column(values: Any) -> Any:
    import pyarrow as pa

    if not isinstance(values, np.ndarray):
        return pa.array(values, pa.string())
    if values.ndim == 1:
        return pa.array(values)
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[1])
