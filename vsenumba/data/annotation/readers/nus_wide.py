"""NUS-WIDE's folders: ``Labels_<concept>.txt`` with one line per image, each 0 or 1."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.readers.name_lists import found_beside, listed_names
from vsenumba.data.annotation.readers.options import TableOptions, refuse_options
from vsenumba.data.annotation.readers.parts import chosen_part
from vsenumba.data.annotation.readers.row_names import names_of_rows
from vsenumba.data.compression import open_decompressed
from vsenumba.data.names import plain
from vsenumba.errors import FileFormatError, near_names

NAME = "nus-wide"
DESCRIPTION = "a folder of NUS-WIDE: Labels_<concept>.txt, with Concepts81.txt and Imagelist.txt next to them"

_LABELS = re.compile(r"Labels_(.+?)(?:_(Train|Test))?\.txt(?:\.\w+)?")
_FOLDERS = ("", "AllLabels", "TrainTestLabels", "Groundtruth/AllLabels", "Groundtruth/TrainTestLabels")
_CONCEPTS = ("Concepts81.txt",)
_IMAGES = {"all": "Imagelist.txt", "train": "TrainImagelist.txt", "test": "TestImagelist.txt"}
_WITHIN = ("ConceptsList", "ImageList", "Imagelist", "NUS-WIDE-ConceptsList", "NUS-WIDE-Imagelist")


def recognises(path: Path, head: bytes) -> bool:
    """Return whether the path is such a folder, or contains such folders."""
    return path.is_dir() and bool(_parts_of(path))


def read(path: Path, options: TableOptions) -> AnnotationSet:
    """Read the concepts of all images, or of those for training or for testing.

    The ids of images are their paths in the image list, with ``/`` instead of backslashes. A line that is neither 0 nor
    1 raises an error; the training file of "lake" has one. With `lenient`, such a line counts as 0.
    """
    refuse_options(path, options, but=("part", "lenient"))
    parts = _parts_of(path)
    if not parts:
        raise FileFormatError(f"{path} is not a folder with files named Labels_<concept>.txt")
    part = chosen_part(path, parts, options.part)
    files = parts[part]
    names = _in_order(path, files)
    columns: list[np.ndarray] = []
    n_images = -1
    for name in names:
        rows, n = _rows_of(files[name], lenient=bool(options.lenient))
        if n_images not in (-1, n):
            raise FileFormatError(f"{files[name]} has {n:,} lines, but {files[names[0]].name} has {n_images:,}")
        n_images = n
        columns.append(rows)
    starts = np.cumsum([0, *map(len, columns)])
    rows = np.concatenate(columns)
    matrix = sp.csc_array((np.ones(len(rows), np.int8), rows, starts), (n_images, len(names)))
    images = found_beside(path, [_IMAGES[part]], _WITHIN)
    if images is None:
        return AnnotationSet.from_csr(matrix, names_of_rows(Path(part), n_images), names)
    ids = [name.replace("\\", "/") for name in listed_names(images)]
    if len(ids) != n_images:
        raise FileFormatError(f"{images} names {len(ids):,} images, but {files[names[0]].name} has {n_images:,}")
    return AnnotationSet.from_csr(matrix, ids, names)


def _parts_of(path: Path) -> dict[str, dict[str, Path]]:
    """Return the files of each concept, by part."""
    parts: dict[str, dict[str, Path]] = {}
    if not path.is_dir():
        return parts
    for inside in _FOLDERS:
        if not (path / inside).is_dir():
            continue
        for file in sorted((path / inside).iterdir()):
            found = _LABELS.fullmatch(file.name)
            if found is not None:
                parts.setdefault((found[2] or "all").lower(), {})[plain(found[1])] = file
    return parts


def _in_order(path: Path, files: Mapping[str, Path]) -> list[str]:
    """Return the concepts, in the order of their list if there is one."""
    listing = found_beside(path, _CONCEPTS, _WITHIN)
    if listing is None:
        return list(files)
    names = listed_names(listing)
    for missing in (name for name in names if name not in files):
        near = near_names(missing, files)
        hint = f"; is it {files[near[0]].name}?" if near else ""
        raise FileFormatError(f"{path} has no file for the concept {missing!r}, which {listing} names{hint}")
    more = [name for name in files if name not in names]
    if more:
        raise FileFormatError(f"{listing} does not name the concept {more[0]!r}, which {path} has")
    return names


def _rows_of(path: Path, *, lenient: bool) -> tuple[np.ndarray, int]:
    """Return the rows of the images that have a concept, and how many images there are."""
    with open_decompressed(path) as stream:
        content = stream.read().strip()
    values = np.array(content.split(), dtype=bytes)
    if content.count(b"\n") + 1 == len(values) and ((values == b"0") | (values == b"1")).all():
        return np.flatnonzero(values == b"1"), len(values)
    lines = [line.strip() for line in content.splitlines()]
    odd = [(at, line) for at, line in enumerate(lines) if line not in (b"0", b"1")]
    if odd:
        what = f"{path}, line {odd[0][0] + 1}: {odd[0][1].decode(errors='replace')!r:.40} is neither 0 nor 1"
        if not lenient:
            raise FileFormatError(f"{what}; use --lenient (in Python lenient=True) to read it as 0")
        warnings.warn(f"{what}; read as 0 ({len(odd):,} such line(s))", UserWarning, stacklevel=3)
    return np.flatnonzero([line == b"1" for line in lines]), len(lines)
