"""Parquet: columns of pairs, a column of lists, or one column per label. Only the columns needed are read.

Files of the library datasets have the names of numbered labels in their schema, and the reader uses them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.readers.frames import FrameReading, arrow_frame
from vsenumba.data.annotation.readers.options import TableOptions, refuse_options
from vsenumba.data.annotation.readers.tables import (
    IMAGE_COLUMNS,
    LABEL_COLUMNS,
    find_column,
    no_such_column,
    warn_of_others,
)
from vsenumba.data.compression import is_compressed
from vsenumba.errors import FileFormatError, InputError, VsenumbaError
from vsenumba.memory import check_memory

NAME = "parquet"
DESCRIPTION = "Parquet, a file or a folder of them, with an image and a label column, or one column per label"
MAGIC = b"PAR1"
_ROWS = 1 << 16
# The metadata key under which the library datasets describes its columns.
_DESCRIPTION = b"huggingface"


def recognises(path: Path, head: bytes) -> bool:
    """Return whether `head` is the start of a Parquet file, or the path is a folder of such files."""
    return bool(_files_in(path)) if path.is_dir() else head.startswith(MAGIC)


def _files_in(folder: Path) -> list[Path]:
    return sorted([*folder.glob("*.parquet"), *folder.glob("data/*.parquet")])


def read(path: Path, options: TableOptions) -> AnnotationSet:
    """Read a file, or the parts of a table in a folder."""
    refuse_options(path, options, but=("image_column", "label_column", "separator", "threshold"))
    reading: FrameReading | None = None
    for file in _files_in(path) if path.is_dir() else [path]:
        with _named(file):
            reading = _read_part(file, options, reading)
    with _named(path):
        if reading is None:
            raise FileFormatError("there are no rows")
        return reading.annotation_set()


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except FileFormatError as error:
        raise FileFormatError(f"{path}: {error}") from error
    except VsenumbaError:
        raise
    except (ValueError, OSError, NotImplementedError, KeyError) as error:  # the base classes of Arrow's errors
        raise FileFormatError(f"{path}: cannot be read as Parquet: {' '.join(str(error).split()):.200}") from error


def _read_part(path: Path, options: TableOptions, reading: FrameReading | None) -> FrameReading | None:
    try:
        import pyarrow.parquet as pq
    except ImportError as error:
        raise InputError(
            f"reading Parquet from {path} needs pyarrow; install it with pip install 'vsenumba[frames]'"
        ) from error
    if is_compressed(path):
        raise FileFormatError("the Parquet file is compressed with gzip, xz or bzip2; decompress it first")
    with pq.ParquetFile(path) as file:
        # A few bytes can encode any number of equal rows.
        check_memory(16 * file.metadata.num_rows, f"a data set of {file.metadata.num_rows:,} rows", "use fewer rows")
        schema = file.schema_arrow
        columns = _columns(schema, options) if reading is None else reading.columns
        missing = [name for name in columns if name not in schema.names]
        if missing:
            raise FileFormatError(f"there is no column {missing[0]!r:.80}, which other files of the folder have")
        places = [f"{name}.path" if _has_path(schema.field(name).type) else name for name in columns]
        for batch in file.iter_batches(batch_size=_ROWS, columns=places):
            frame = arrow_frame(batch)
            if reading is None:
                reading = FrameReading(frame, options, _label_names(schema))
            reading.add(frame)
    return reading


def _columns(schema: Any, options: TableOptions) -> list[str]:
    """Return the columns to read: the image and label columns, or all that can have labels."""
    for option in ("image_column", "label_column"):
        wanted = getattr(options, option)
        if wanted is not None and wanted not in schema.names:
            raise no_such_column(option, wanted, schema.names)
    usable = [name for name in schema.names if _is_usable(schema.field(name).type)]
    for name in (options.image_column, options.label_column):
        if name is not None and name not in usable:
            raise InputError(f"the column {name!r} has the type {schema.field(name).type!s:.60}; expected names")
    image_at = find_column(usable, options.image_column, IMAGE_COLUMNS)
    label_at = find_column(usable, options.label_column, LABEL_COLUMNS)
    if label_at is None:
        return usable
    warn_of_others(usable, usable[label_at], options.label_column)
    return [usable[at] for at in (image_at, label_at) if at is not None]


def _is_usable(kind: Any) -> bool:
    """Return whether a column can contain names, lists of names, or values. Pictures and vectors are not read."""
    text = str(kind)
    if text.startswith(("binary", "large_binary", "fixed_size_binary", "map", "timestamp", "date", "time")):
        return False
    if text.startswith("struct"):
        return _has_path(kind)
    within = str(getattr(kind, "value_type", "")) if "list" in text.split("<")[0] else ""
    return not within.startswith(("float", "double", "halffloat", "struct", "list", "binary", "uint8"))


def _has_path(kind: Any) -> bool:
    return str(kind).startswith("struct") and any(kind.field(i).name == "path" for i in range(kind.num_fields))


def _label_names(schema: Any) -> dict[str, Sequence[str]]:
    """Return the names of numbered labels for each column, if the schema has them."""
    try:
        features = json.loads((schema.metadata or {}).get(_DESCRIPTION, b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError):
        return {}
    found: dict[str, Sequence[str]] = {}
    for column, feature in features.items() if isinstance(features, dict) else ():
        # For a list, use the description of its elements.
        inner = feature[0] if isinstance(feature, list) and feature else feature
        inner = inner.get("feature", inner) if isinstance(inner, dict) else {}
        names = inner.get("names") if isinstance(inner, dict) else None
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            found[column] = names
    return found
