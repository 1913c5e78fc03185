"""MIRFlickr's folders: ``tags<number>.txt`` with the tags of an image, or ``<label>.txt`` with image numbers."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.pairs import pairs_to_csr
from vsenumba.data.annotation.readers.options import TableOptions, refuse_options
from vsenumba.data.annotation.readers.parts import chosen_part
from vsenumba.data.annotation.readers.sparse_lines import text_lines
from vsenumba.data.names import plain
from vsenumba.errors import FileFormatError

NAME = "mirflickr"
DESCRIPTION = "a folder of MIRFlickr: meta/tags or annotations"

_TAGS = re.compile(r"tags(\d+)\.txt")
_TAG_FOLDERS = ("", "meta/tags", "tags", "mirflickr/meta/tags")
_LABEL_FOLDERS = ("", "annotations", "mirflickr25k_annotations_v080")


def recognises(path: Path, head: bytes) -> bool:
    """Return whether the path is a folder of such files, or contains such a folder."""
    return path.is_dir() and bool(_parts_of(path))


def read(path: Path, options: TableOptions) -> AnnotationSet:
    """Read the tags of all images, or the annotations: the one in the folder, or the one that `part` names.

    Images are named ``im1.jpg`` and so on, in the order of their numbers. Annotations do not give the number of images,
    so images without annotations are included only if the tags are there too. A label's relevant images,
    ``<label>_r1.txt``, become a separate label.
    """
    refuse_options(path, options, but=("part",))
    parts = _parts_of(path)
    if not parts:
        raise FileFormatError(f"{path} has no files such as tags1.txt or baby_r1.txt")
    part = chosen_part(path, parts, options.part)
    if part == "tags":
        return _tags(parts["tags"])
    known = [_number_of(file) for file in _tag_files(parts["tags"])] if "tags" in parts else None
    return _annotations(parts["annotations"], known)


def _parts_of(path: Path) -> dict[str, Path]:
    parts = {}
    for name, folders, holds in (
        ("tags", _TAG_FOLDERS, _tag_files),
        ("annotations", _LABEL_FOLDERS, lambda folder: list(folder.glob("*_r1.txt"))),
    ):
        found = next((path / one for one in folders if (path / one).is_dir() and holds(path / one)), None)
        if found is not None:
            parts[name] = found
    return parts


def _tag_files(folder: Path) -> list[Path]:
    return sorted((one for one in folder.iterdir() if _TAGS.fullmatch(one.name)), key=_number_of)


def _number_of(file: Path) -> int:
    found = _TAGS.fullmatch(file.name)
    return 0 if found is None else int(found[1])


def _tags(folder: Path) -> AnnotationSet:
    files = _tag_files(folder)
    lists = []
    for file in files:
        with text_lines(file) as lines:
            lists.append([name for _, line in lines if (name := plain(line))])
    return AnnotationSet.from_lists(lists, [f"im{_number_of(file)}.jpg" for file in files])


def _annotations(folder: Path, known: list[int] | None) -> AnnotationSet:
    files = [one for one in sorted(folder.glob("*.txt")) if one.stem.lower() != "readme"]
    lists = [_numbers_in(file) for file in files]
    numbers = sorted({number for one in lists for number in one} if known is None else known)
    at = {number: row for row, number in enumerate(numbers)}
    for file, one in zip(files, lists, strict=True):
        odd = next((number for number in one if number not in at), None)
        if odd is not None:
            raise FileFormatError(f"{file} names image {odd}, which has no tags")
    if known is None:
        warnings.warn(
            f"{folder}: images without annotations are missing, as there is no folder of tags next to it",
            UserWarning,
            stacklevel=3,
        )
    rows = np.array([at[number] for one in lists for number in one], np.int64)
    columns = np.repeat(np.arange(len(files)), [len(one) for one in lists])
    indptr, indices = pairs_to_csr(rows, columns, len(numbers), len(files))
    return AnnotationSet(
        indptr, indices, len(files), [f"im{number}.jpg" for number in numbers], [file.stem for file in files]
    )


def _numbers_in(file: Path) -> list[int]:
    found = []
    with text_lines(file) as lines:
        for number, line in lines:
            word = line.strip()
            if word and not word.isdecimal():
                raise FileFormatError(f"line {number}: {word!r:.60} is not the number of an image")
            if word:
                found.append(int(word))
    return found
