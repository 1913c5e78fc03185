"""Parquet tables, written batch by batch. This needs the extra ``frames``."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping
from os import PathLike
from typing import Any

import numpy as np

from vsenumba.errors import InputError
from vsenumba.storage import open_output


def check_parquet(path: str | PathLike[str]) -> None:
    """Check, before any work starts, that Parquet files can be written.

    Raises
    ------
    InputError
        If pyarrow is not installed.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise InputError(f"writing Parquet to {path} needs pyarrow; install it with pip install 'vsenumba[frames]'")


def write_parquet(path: str | PathLike[str], batches: Iterable[Mapping[str, Any]]) -> None:
    """Write a table completely or not at all, with one batch of rows in memory at a time.

    Parameters
    ----------
    path : str or path-like
        The file.
    batches : iterable of mappings
        Columns by name, the same names in each batch. Each batch becomes a row group. A column is a list of texts, an
        array of numbers, or a two-dimensional array, whose rows become lists of that length. At least one batch is
        needed; it may be empty.

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
