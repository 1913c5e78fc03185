"""Files of vectors, each preceded by its length: ``.fvecs``, ``.fvec``, ``.bvecs``, ``.hvecs`` and ``.hvecs32``."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from vsenumba.data.annotation.feature_files.table import FeatureTable, as_float32
from vsenumba.errors import FileFormatError

DESCRIPTION = "an .fvecs, .bvecs or .hvecs file"

# The number of rows to check in order to detect the format.
_FIRST = 8
_LONGEST = 1 << 24


class _Kind(NamedTuple):
    """The dtypes of the length and the numbers, and the extensions that decide if the content is ambiguous."""

    length: np.dtype
    number: np.dtype
    endings: tuple[str, ...]


_KINDS = (
    _Kind(np.dtype("<i4"), np.dtype("<f4"), (".fvecs", ".fvec")),
    _Kind(np.dtype("<i4"), np.dtype("u1"), (".bvecs", ".bvec")),
    _Kind(np.dtype("<u2"), np.dtype("<u2"), (".hvecs", ".hvec")),
    _Kind(np.dtype("<u4"), np.dtype("<u4"), (".hvecs32",)),
)


def recognises(path: Path, head: bytes) -> bool:
    """Return whether the first rows have the same length, and the file has a whole number of such rows."""
    return path.is_file() and bool(_kinds_of(path))


def read(path: Path, dataset: str | None) -> FeatureTable:
    """Memory-map the vectors. Whole numbers of two or four bytes are read into memory as float32."""
    kinds = _kinds_of(path)
    named = [kind for kind in kinds if path.suffix.lower() in kind.endings]
    if not kinds or (len(kinds) > 1 and not named and kinds[0].number.kind != "f"):
        raise FileFormatError(f"{path}: not a file of vectors of equal length, each preceded by its length")
    kind = (named or kinds)[0]
    width = int(np.fromfile(path, kind.length, 1)[0])
    row = kind.length.itemsize + width * kind.number.itemsize
    rows = np.memmap(path, np.uint8, "r").reshape(-1, row)
    lengths = np.ascontiguousarray(rows[:, : kind.length.itemsize]).view(kind.length)[:, 0]
    odd = np.flatnonzero(lengths != width)
    if len(odd):
        raise FileFormatError(
            f"{path}: vector {int(odd[0])} has the length {lengths[odd[0]]}, but vector 0 has {width}"
        )
    if kind.number.itemsize == 1:
        return FeatureTable(rows[:, kind.length.itemsize :])
    whole = np.memmap(path, kind.number, "r").reshape(-1, row // kind.number.itemsize)
    vectors = whole[:, kind.length.itemsize // kind.number.itemsize :]
    return FeatureTable(vectors if kind.number.kind == "f" else as_float32(vectors, str(path)))


def _kinds_of(path: Path) -> list[_Kind]:
    size = path.stat().st_size
    found = []
    with path.open("rb") as file:
        for kind in _KINDS:
            file.seek(0)
            head = np.frombuffer(file.read(kind.length.itemsize), kind.length)
            width = int(head[0]) if len(head) else 0
            row = kind.length.itemsize + width * kind.number.itemsize
            if not 0 < width <= _LONGEST or size % row:
                continue
            file.seek(0)
            rows = [file.read(row) for _ in range(min(_FIRST, size // row))]
            numbers = np.frombuffer(b"".join(one[kind.length.itemsize :] for one in rows), kind.number)
            if len({one[: kind.length.itemsize] for one in rows}) == 1 and not _is_tiny(numbers):
                found.append(kind)
    return found


def _is_tiny(numbers: np.ndarray) -> bool:
    """Return whether floats are only zeros and tiny values, as four-byte whole numbers look when read as float32."""
    return numbers.dtype.kind == "f" and bool(numbers.any()) and bool((abs(numbers) < 1e-37).all())
