"""MS-COCO's caption files, ``captions_*.json``: JSON with images and annotations."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vsenumba.data.captions.caption_set import CaptionSet
from vsenumba.data.captions.readers.features import mapped_rows
from vsenumba.data.captions.readers.lines import naming
from vsenumba.data.json_members import members_of
from vsenumba.errors import FileFormatError

DESCRIPTION = "an MS-COCO captions JSON file, with an .npy file of features"

# The most elements to read before "images" or "annotations". Lists before these are short.
_MOST_BEFORE = 1000


def recognises(path: Path) -> bool:
    """Return whether the first image or annotation looks like MS-COCO's."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        if not file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
            return False
    try:
        for number, (name, _, value) in enumerate(members_of(path)):
            if name == "annotations":
                return isinstance(value, dict) and "caption" in value
            if name == "images":
                return isinstance(value, dict) and "id" in value and "sentences" not in value
            if number > _MOST_BEFORE:
                return False
    except FileFormatError:
        return False
    return False


def read(path: Path, features: Path | None) -> CaptionSet:
    """Read the file. Row i of the features belongs to image i in the file's list of images."""
    rows: dict[object, int] = {}
    names: list[str] = []
    owners: list[object] = []
    texts: list[str] = []
    for name, number, value in members_of(path):
        if number is None or name not in ("images", "annotations"):
            continue
        try:
            if name == "images":
                if rows.setdefault(value["id"], len(rows)) != len(names):
                    raise FileFormatError(f"{path}: 'images', element {number}: image {value['id']} is listed twice")
                names.append(str(value["file_name"]))
            else:
                text = value["caption"]
                if not isinstance(text, str) or not text.strip():
                    raise FileFormatError(f"{path}: 'annotations', element {number}: the caption is {text!r:.40}")
                owners.append(value["image_id"])
                texts.append(text.strip())
        except (KeyError, TypeError, AttributeError) as error:
            what = f"it has no {error}" if isinstance(error, KeyError) else str(error)
            raise FileFormatError(f"{path}: {name!r}, element {number}: {what}") from error
    if not names or not texts:
        raise FileFormatError(f"{path} has {len(names):,} images and {len(texts):,} captions")
    images = np.array([rows.get(owner, -1) for owner in owners])
    lost = np.flatnonzero(images < 0)
    if len(lost):
        raise FileFormatError(
            f"{path}: annotation {int(lost[0])} has the image {owners[int(lost[0])]!r:.40}, which is not in the file "
            f"({len(lost):,} such annotation(s))"
        )
    mapped = mapped_rows(features, len(names), path.name)
    with naming(path):
        return CaptionSet(mapped, texts, np.arange(len(names)), images, image_ids=names)
