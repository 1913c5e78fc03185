"""Token files in the form of Flickr8k. Each line has an image's file name, ``#`` and a number, a tab, and a caption."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

import numpy as np

from vsenumba.data.captions.caption_set import CaptionSet
from vsenumba.data.captions.readers.features import mapped_rows
from vsenumba.data.captions.readers.lines import lines_of, naming
from vsenumba.errors import FileFormatError

DESCRIPTION = "a token file like that of Flickr8k, with an .npy file of features"

_LINE = re.compile(r"(([^\t#]+)#\d+)\t(.*)")


def recognises(path: Path) -> bool:
    """Return whether the first line that is not blank has this form."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(1 << 16).removeprefix(codecs.BOM_UTF8)
    return _LINE.match(head.lstrip().decode("utf-8", "replace")) is not None


def read(path: Path, features: Path | None) -> CaptionSet:
    """Read the file. The features must be in the order in which the images first appear."""
    images: dict[str, int] = {}
    keys: dict[str, int] = {}
    owners, texts = [], []
    for number, line in lines_of(path):
        if not line.strip():
            continue
        found = _LINE.fullmatch(line)
        if found is None or not found[3].strip():
            raise FileFormatError(f"{path}, line {number}: expected IMAGE#NUMBER, a tab and a caption")
        first = keys.setdefault(found[1], number)
        if first != number:
            raise FileFormatError(f"{path}, line {number}: {found[1]} is already in line {first}")
        owners.append(images.setdefault(found[2], len(images)))
        texts.append(found[3])
    rows = mapped_rows(features, len(images), path.name)
    with naming(path):
        return CaptionSet(rows, texts, np.arange(len(images)), np.array(owners), image_ids=images)
