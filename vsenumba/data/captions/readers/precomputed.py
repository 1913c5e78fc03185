"""The precomputed layout of VSE++, SCAN and VSE∞: ``train_ims.npy``, ``train_caps.txt``, and so on for each part."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vsenumba.data.captions.caption_set import CaptionSet
from vsenumba.data.captions.ragged import Ragged
from vsenumba.data.captions.readers.features import mapped_array, mapped_rows
from vsenumba.data.captions.readers.lines import lines_of, naming
from vsenumba.errors import FileFormatError, InputError

DESCRIPTION = "a folder of train_ims.npy, train_caps.txt and similar files"

_IMAGES, _CAPTIONS = "_ims.npy", "_caps.txt"

# In some of these folders, the smaller parts repeat each image this many times, once for each caption.
_REPEATS = 5


def recognises(path: Path) -> bool:
    """Return whether the path is a folder with features and captions of at least one part."""
    return path.is_dir() and any((path / f"{part}{_CAPTIONS}").exists() for part in _parts(path))


def read(path: Path, features: Path | None) -> CaptionSet:
    """Read all parts. The number of captions per image follows from the numbers of captions and images."""
    if features is not None:
        raise InputError(f"{path} already contains features; leave out features")
    sets = [_read_part(path, part) for part in _parts(path) if (path / f"{part}{_CAPTIONS}").exists()]
    shifts = np.cumsum([0, *(len(images) for images, _, _, _ in sets)])
    names = [name for _, _, _, name in sets]
    with naming(path):
        return CaptionSet(
            Ragged.join([images for images, _, _, _ in sets]),
            [text for _, texts, _, _ in sets for text in texts],
            np.arange(shifts[-1]),
            np.concatenate([owners + shift for (_, _, owners, _), shift in zip(sets, shifts[:-1], strict=True)]),
            image_ids=[
                f"{name}-{i}" for name, (images, _, _, _) in zip(names, sets, strict=True) for i in range(len(images))
            ],
            parts=[name for name, (images, _, _, _) in zip(names, sets, strict=True) for _ in range(len(images))],
        )


def _parts(path: Path) -> list[str]:
    return sorted(file.name.removesuffix(_IMAGES) for file in path.glob(f"*{_IMAGES}"))


def _read_part(path: Path, part: str) -> tuple[Ragged, list[str], np.ndarray, str]:
    """Return the images, the captions, the image of each caption, and the part's name."""
    file = path / f"{part}{_CAPTIONS}"
    texts = []
    for number, text in lines_of(file):
        # The line number tells which image a caption belongs to, so no line can be skipped.
        if not text.strip():
            raise FileFormatError(f"{file}, line {number}: the caption is empty")
        texts.append(text)
    features = mapped_array(path / f"{part}{_IMAGES}")
    images = mapped_rows(path / f"{part}{_IMAGES}", len(features), str(path))
    if len(texts) % len(images):
        raise FileFormatError(
            f"{file} has {len(texts):,} captions for the {len(images):,} images of {part}{_IMAGES}; each image must "
            "have the same number of captions"
        )
    if len(texts) == len(images) and len(images) % _REPEATS == 0 and _repeated(features):
        images = images.select(np.arange(0, len(images), _REPEATS))
    return images, texts, np.repeat(np.arange(len(images)), len(texts) // len(images)), part


def _repeated(features: np.ndarray) -> bool:
    """Return whether each image appears five times in a row."""
    return all(
        np.array_equal(features[first], features[first + i])
        for first in range(0, len(features), _REPEATS)
        for i in range(1, _REPEATS)
    )
