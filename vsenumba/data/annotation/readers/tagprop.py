"""Matrices of TagProp's sets, ``*_annot.hvecs`` and ``.hvecs32``: for each image, a length and that many numbers."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.pairs import pairs_to_csr
from vsenumba.data.annotation.readers.name_lists import listed_names
from vsenumba.data.annotation.readers.options import TableOptions, refuse_options
from vsenumba.data.annotation.readers.parts import chosen_part
from vsenumba.data.annotation.readers.row_names import names_of_rows
from vsenumba.data.compression import HEAD_BYTES, is_compressed, open_decompressed
from vsenumba.errors import FileFormatError

NAME = "hvecs"
DESCRIPTION = "a matrix of TagProp (.hvecs, .hvecs32), with *_dictionary.txt and *_list.txt next to it, or their folder"

# Try wider numbers first: a small four-byte number ends with two zero bytes, so it is not two two-byte numbers.
_TYPES = (np.dtype("<u4"), np.dtype("<u2"))
_NAMES = re.compile(r"(.+?)_([^_]+)_annot\.hvecs(32)?(?:\.\w+)?", re.IGNORECASE)
_ROWS = 4096


def recognises(path: Path, head: bytes) -> bool:
    """Return whether `head` has rows of zeros and ones of one length, or the path is a folder of such files."""
    return bool(_parts_of(path)) if path.is_dir() else _type_of(path, head) is not None


def read(path: Path, options: TableOptions) -> AnnotationSet:
    """Read the matrix. Image names are in ``*_list.txt`` and label names in ``*_dictionary.txt`` next to it."""
    is_folder = path.is_dir()
    refuse_options(path, options, but=("part",) if is_folder else ())
    if is_folder:
        parts = _parts_of(path)
        path = parts[chosen_part(path, parts, options.part)]
    with open_decompressed(path) as stream:
        dtype = _type_of(path, stream.read(HEAD_BYTES))
    if dtype is None:
        raise FileFormatError(
            f"{path} is not a file of equally long rows of zeros and ones, each preceded by its length"
        )
    rows, columns, n_images, n_labels = _pairs(path, dtype)
    indptr, indices = pairs_to_csr(rows, columns, n_images, n_labels)
    labels = _names_beside(path, "dictionary", n_labels)
    images = _names_beside(path, "list", n_images)
    return AnnotationSet(indptr, indices, n_labels, names_of_rows(path, n_images) if images is None else images, labels)


def _parts_of(folder: Path) -> dict[str, Path]:
    """Return the matrices of a folder by part, such as "train", prefixed with the set's name if there are several."""
    found = [(name, one) for one in sorted(folder.iterdir()) if (name := _NAMES.fullmatch(one.name)) is not None]
    one_set = len({name[1] for name, _ in found}) == 1
    return {name[2] if one_set else f"{name[1]}_{name[2]}": file for name, file in found}


def _type_of(path: Path, head: bytes) -> np.dtype | None:
    """Return the dtype of the numbers, judged by the start of a file, or None if it has another format."""
    for dtype in _TYPES:
        numbers = np.frombuffer(head[: len(head) // dtype.itemsize * dtype.itemsize], dtype)
        if not len(numbers) or not numbers[0]:
            continue
        stride = int(numbers[0]) + 1
        whole = is_compressed(path) or path.stat().st_size % (stride * dtype.itemsize) == 0
        values = np.delete(numbers, np.s_[::stride])
        # If only part of the file is at hand, an incomplete last row is fine.
        ends_well = whole or len(numbers) > 2 * stride
        if len(values) and ends_well and (numbers[::stride] == numbers[0]).all() and values.max() <= 1:
            return dtype
    return None


def _pairs(path: Path, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray, int, int]:
    rows, columns = [], []
    n_images, width = 0, 0
    with open_decompressed(path) as stream:
        width = int(np.frombuffer(stream.read(dtype.itemsize), dtype)[0])
        stream.seek(0)
        n_bytes = (width + 1) * dtype.itemsize
        while block := stream.read(_ROWS * n_bytes):
            if len(block) % n_bytes:
                raise FileFormatError(f"{path}: the last row is truncated; expected rows of {n_bytes:,} bytes")
            table = np.frombuffer(block, dtype).reshape(-1, width + 1)
            odd = np.flatnonzero((table[:, 0] != width) | (table[:, 1:] > 1).any(axis=1))
            if len(odd):
                row = n_images + int(odd[0])
                found = table[odd[0], 0]
                raise FileFormatError(
                    f"{path}: row {row} has the length {found:,}, but row 0 has {width:,}"
                    if found != width
                    else f"{path}: row {row} has the value {table[odd[0], 1:].max()}; expected 0 or 1"
                )
            at, label = np.nonzero(table[:, 1:])
            rows.append(at + n_images)
            columns.append(label)
            n_images += len(table)
    return np.concatenate(rows), np.concatenate(columns), n_images, width


def _names_beside(path: Path, what: str, expected: int) -> list[str] | None:
    """Return the names in a list next to the matrix, or None with a warning if there is no list."""
    stem = _NAMES.fullmatch(path.name)
    wanted = "" if stem is None else f"{stem[1]}_{'' if what == 'dictionary' else f'{stem[2]}_'}{what}.txt"
    listing = path.with_name(wanted) if wanted else None
    if listing is None or not listing.is_file():
        missing = wanted or f"a file *_{what}.txt of the same beginning, such as that of set_train_annot.hvecs"
        kind = "labels" if what == "dictionary" else "images"
        warnings.warn(f"{path}: {kind} are named by numbers, as there is no {missing}", UserWarning, stacklevel=3)
        return None
    names = listed_names(listing)
    if len(names) != expected:
        raise FileFormatError(f"{listing} has {len(names):,} names, but {path.name} has {expected:,}")
    return names
