"""Parquet files: a column of lists of numbers or one column per number, and a column of ids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vsenumba.data.annotation.feature_files.table import FeatureTable, is_id_name
from vsenumba.errors import FileFormatError, InputError, unknown_name
from vsenumba.memory import check_memory

DESCRIPTION = "a Parquet file with a list column or one column per number"

_ROWS = 8192


def recognises(path: Path, head: bytes) -> bool:
    """Return whether the file starts like a Parquet file."""
    return head.startswith(b"PAR1")


def read(path: Path, dataset: str | None) -> FeatureTable:
    """Read the numbers a few thousand rows at a time, as float32, or as float16 or uint8 if the file has them."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise InputError(f"{path}: reading Parquet needs pyarrow; install it with pip install pyarrow") from error
    try:
        with pq.ParquetFile(path) as file:
            columns, id_column = _columns(path, file.schema_arrow, dataset)
            wanted = [*columns, *([id_column] if id_column else [])]
            n_rows = file.metadata.num_rows
            features: np.ndarray | None = None
            ids: list[str] = []
            at = 0
            for batch in file.iter_batches(_ROWS, columns=wanted):
                block = _block(path, batch, columns, at)
                if features is None:
                    n_bytes = n_rows * block.shape[1] * block.dtype.itemsize
                    check_memory(n_bytes, f"the features of {path}", "save them as .npy, which is memory-mapped")
                    features = np.empty((n_rows, block.shape[1]), block.dtype)
                if block.shape[1] != features.shape[1]:
                    raise FileFormatError(
                        f"{path}: row {at} has {block.shape[1]:,} numbers, but row 0 has {features.shape[1]:,}"
                    )
                features[at : at + len(block)] = block
                at += len(block)
                if id_column:
                    ids += [str(one) for one in batch.column(wanted.index(id_column)).to_pylist()]
    except (pa.ArrowException, OSError) as error:
        raise FileFormatError(f"{path}: cannot be read as Parquet: {error!s:.200}") from error
    if features is None:
        raise FileFormatError(f"{path} has no rows")
    return FeatureTable(features, ids if id_column else None)


def _columns(path: Path, schema: Any, wanted: str | None) -> tuple[list[str], str | None]:
    """Return the columns of features, and the column of ids or None."""
    import pyarrow.types as types

    def is_number(kind: Any) -> bool:
        return types.is_floating(kind) or types.is_integer(kind)

    lists = [
        one.name
        for one in schema
        if (types.is_list(one.type) or types.is_large_list(one.type) or types.is_fixed_size_list(one.type))
        and is_number(one.type.value_type)
    ]
    texts = [one.name for one in schema if types.is_string(one.type) or types.is_large_string(one.type)]
    ids = [one.name for one in schema if is_id_name(one.name) and (one.name in texts or types.is_integer(one.type))]
    id_column = ids[0] if ids else texts[0] if len(texts) == 1 else None
    if wanted is not None:
        if wanted not in lists:
            raise unknown_name("column of lists", wanted, lists)
        return [wanted], id_column
    if len(lists) > 1:
        raise InputError(
            f"{path} has several columns of lists: {', '.join(lists):.200}; choose one with "
            f"--feature-dataset {lists[0]} (in "
            f"Python dataset={lists[0]!r})"
        )
    numbers = [one.name for one in schema if is_number(one.type) and one.name != id_column]
    if not lists and not numbers:
        raise FileFormatError(
            f"{path} has no column of numbers or of lists of numbers, only {', '.join(schema.names):.200}"
        )
    return lists or numbers, id_column


def _block(path: Path, batch: Any, columns: list[str], first: int) -> np.ndarray:
    """Return some rows as an array."""
    arrays = [batch.column(at) for at in range(len(columns))]
    for name, one in zip(columns, arrays, strict=True):
        if one.null_count:
            row = first + one.is_null().to_pylist().index(True)
            raise FileFormatError(f"{path}: the column {name!r} has no value in row {row}")
    if not hasattr(arrays[0].type, "value_type"):
        return _kept(np.column_stack([one.to_numpy(zero_copy_only=False) for one in arrays]))
    lengths = np.asarray(arrays[0].value_lengths())
    odd = np.flatnonzero(lengths != lengths[0])
    if len(odd):
        raise FileFormatError(
            f"{path}: row {first + int(odd[0])} has {lengths[odd[0]]:,} numbers, but row {first} has {lengths[0]:,}"
        )
    values = arrays[0].flatten()
    if values.null_count:
        row = first + values.is_null().to_pylist().index(True) // int(lengths[0])
        raise FileFormatError(f"{path}: there is a missing number in row {row}")
    return _kept(values.to_numpy(zero_copy_only=False).reshape(len(lengths), -1))


def _kept(array: np.ndarray) -> np.ndarray:
    return array if array.dtype.name in ("uint8", "float16", "float32") else array.astype(np.float32)
