"""Token files as of Flickr8k: an image's file name, ``#`` and a number, a tab, and a caption, line by line."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from vsenumba.data.captions.caption_set import CaptionSet
from vsenumba.data.captions.readers.features import mapped_rows
from vsenumba.errors import FileFormatError

DESCRIPTION = "a token file as of Flickr8k, with an .npy file of features"

_LINE = re.compile(r"([^\t#]+)#\d+\t(.*)")


def recognises(path: Path) -> bool:
    """Tell whether its first line is such a one."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return _LINE.match(file.readline(1 << 16).decode("utf-8", "replace")) is not None


def read(path: Path, features: Path | None) -> CaptionSet:
    """Read it; features stand in the order in which the images first come."""
    images: dict[str, int] = {}
    owners, texts = [], []
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            found = _LINE.fullmatch(line.rstrip("\r\n"))
            if found is None or not found[2].strip():
                raise FileFormatError(f"{path}, line {number}: expected is IMAGE#NUMBER, a tab and a caption")
            owners.append(images.setdefault(found[1], len(images)))
            texts.append(found[2])
    rows = mapped_rows(features, len(images), path.name)
    return CaptionSet(rows, texts, np.arange(len(images)), np.array(owners), image_ids=images)
