"""Tables of captions: delimited text with a header and, in each row, an image, a caption and optionally a part."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vsenumba.data.annotation.readers.lines import Lines
from vsenumba.data.captions.caption_set import CaptionSet
from vsenumba.data.captions.readers.features import mapped_rows
from vsenumba.data.captions.readers.lines import naming
from vsenumba.data.compression import open_decompressed
from vsenumba.data.names import plain
from vsenumba.errors import FileFormatError, InputError

DESCRIPTION = "a .csv or .tsv table with an image and a caption column, and an .npy file of features"

# Column names in order of priority. Case does not matter, and spaces and hyphens count as underscores.
IMAGE_COLUMNS = ("image", "image_name", "filename", "file_name", "image_path", "filepath", "image_id", "img_id")
CAPTION_COLUMNS = ("caption", "comment", "sentence", "raw", "text", "description", "captions")
PART_COLUMNS = ("split", "part", "partition")
_DELIMITERS = ",\t|;"
_HEAD = 1 << 14


def recognises(path: Path) -> bool:
    """Return whether the first line is a header with an image and a caption column."""
    if not path.is_file():
        return False
    with open_decompressed(path) as stream:
        head = stream.read(_HEAD)
    first = head.decode("utf-8-sig", "replace").splitlines()[:1]
    return bool(first) and _delimiter(first[0]) is not None


def read(path: Path, features: Path | None) -> CaptionSet:
    """Read the table. The features must be in the order in which the images first appear.

    A caption cell may be a JSON list of texts. MS-COCO's part "restval" counts as "train".
    """
    images: dict[str, int] = {}
    parts: list[str] = []
    owners: list[int] = []
    texts: list[str] = []
    with open_decompressed(path) as stream:
        lines = Lines(stream)
        try:
            for image, cell, part in _rows(lines):
                row = images.setdefault(image, len(images))
                if row == len(parts):
                    parts.append(part)
                elif parts[row] != part:
                    raise FileFormatError(f"{image!r:.60} is in two parts, {part!r} and {parts[row]!r}")
                for text in _captions(cell):
                    owners.append(row)
                    texts.append(text)
                lines.end_record()
        except (FileFormatError, csv.Error) as error:
            raise FileFormatError(f"{path}, line {lines.record_start}: {error}") from error
    if not texts:
        raise InputError(f"{path} has a header but no captions")
    rows = mapped_rows(features, len(images), path.name)
    with naming(path):
        return CaptionSet(
            rows,
            texts,
            np.arange(len(images)),
            np.array(owners),
            image_ids=images,
            parts=parts if any(parts) else None,
        )


def _rows(lines: Lines) -> Iterator[tuple[str, str, str]]:
    """Yield the image, the caption and the part of each row."""
    first = next(lines)
    delimiter = _delimiter(first) or ","
    lines.push_back(first)
    # In tables delimited by tabs or bars, quotes are ordinary characters.
    settings: dict[str, Any] = {"quoting": csv.QUOTE_NONE} if delimiter in "\t|" else {"strict": True}
    cells = csv.reader(lines, delimiter=delimiter, **settings)
    header = [name.strip() for name in next(cells)]
    image_at, caption_at = _find(header, IMAGE_COLUMNS), _find(header, CAPTION_COLUMNS)
    part_at = _find(header, PART_COLUMNS)
    lines.end_record()
    for row in cells:
        if not any(cell.strip() for cell in row):
            lines.end_record()
            continue
        if len(row) != len(header):
            raise FileFormatError(
                f"{len(row)} cell(s), but the header has {len(header)} (with the delimiter {delimiter!r})"
            )
        image = plain(row[image_at or 0])
        if not image:
            raise FileFormatError("the image is empty")
        part = "" if part_at is None else plain(row[part_at]).replace("restval", "train")
        yield image, row[caption_at or 0], part


def _captions(cell: str) -> list[str]:
    """Return the captions in a cell: one text, or the texts of a list."""
    found: list[str] = [cell.strip()]
    if cell.lstrip().startswith("["):
        try:
            listed = json.loads(cell)
        except ValueError:
            listed = None
        if isinstance(listed, list) and listed and all(isinstance(one, str) for one in listed):
            found = listed
    if not all(text.strip() for text in found):
        raise FileFormatError("a caption is empty")
    return found


def _find(header: Sequence[str], usual: Sequence[str]) -> int | None:
    names = [name.strip().lower().replace(" ", "_").replace("-", "_") for name in header]
    return next((names.index(name) for name in usual if name in names), None)


def _delimiter(line: str) -> str | None:
    """Return the delimiter that splits a header into both columns, or None."""
    for delimiter in _DELIMITERS:
        header = [name.strip('" \r\n') for name in line.split(delimiter)]
        if _find(header, IMAGE_COLUMNS) is not None and _find(header, CAPTION_COLUMNS) is not None:
            return delimiter
    return None
