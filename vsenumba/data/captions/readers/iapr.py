"""The texts of IAPR TC-12: ``annotations/NN/NNNN.eng``, each with an image's title, description and more, in tags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vsenumba.data.captions.caption_set import CaptionSet
from vsenumba.data.captions.readers.features import mapped_rows
from vsenumba.data.captions.readers.lines import naming
from vsenumba.errors import FileFormatError
from vsenumba.storage import check_readable

DESCRIPTION = "a folder of IAPR TC-12's texts (NN/NNNN.eng), with an .npy file of features"

_TAG = re.compile(r"<(TITLE|DESCRIPTION|IMAGE)>(.*?)</\1>", re.DOTALL)
_MOST_BYTES = 1 << 20


def recognises(path: Path) -> bool:
    """Return whether a folder has subfolders with such texts, directly or in ``annotations``."""
    return path.is_dir() and next(_texts(path), None) is not None


def read(path: Path, features: Path | None) -> CaptionSet:
    """Read the descriptions. Their sentences, separated by semicolons, are the captions of an image.

    If a text has no description, its title is the caption. The text names its image, such as ``"00/25.jpg"``. The
    features must be in the order of the folders, and of the file numbers within each folder.
    """
    files = sorted(_texts(path), key=lambda file: (_number(file.parent.name), _number(file.stem), file.name))
    names, owners, texts = [], [], []
    for image, file in enumerate(files):
        fields = _fields_of(file)
        sentences = [sentence.strip() for sentence in fields.get("DESCRIPTION", "").split(";") if sentence.strip()]
        title = fields.get("TITLE", "").strip()
        captions = sentences or ([title] if title else [])
        if not captions:
            raise FileFormatError(f"{file} has neither a description nor a title")
        owners += [image] * len(captions)
        texts += captions
        named = fields.get("IMAGE", "").strip().replace("\\", "/").removeprefix("images/")
        names.append(named or f"{file.parent.name}/{file.stem}.jpg")
    rows = mapped_rows(features, len(files), path.name)
    with naming(path):
        return CaptionSet(rows, texts, np.arange(len(files)), np.array(owners), image_ids=names)


def _texts(path: Path) -> Iterator[Path]:
    for folder in (path, path / "annotations", path / "annotations_complete_eng"):
        yield from folder.glob("[0-9]*/*.eng")


def _number(name: str) -> int:
    return int(name) if name.isdecimal() else -1


def _fields_of(file: Path) -> dict[str, str]:
    check_readable(file)
    if file.stat().st_size > _MOST_BYTES:
        raise FileFormatError(f"{file} is too large for an IAPR TC-12 text")
    content = file.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    fields = {found[1]: found[2] for found in _TAG.finditer(text)}
    if not fields:
        raise FileFormatError(f"{file} has no <TITLE> and no <DESCRIPTION>")
    return {name: " ".join(value.split()) for name, value in fields.items()}
