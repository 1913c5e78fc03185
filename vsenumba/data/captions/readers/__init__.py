"""Readers of caption sets, one module per layout, chosen by what is there.

A reader is a module with ``DESCRIPTION`` (for people), ``recognises(path)`` and ``read(path, features)``. Another
layout is another module and a line in `CAPTION_READERS`.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Protocol

from vsenumba.data.captions.caption_set import CaptionSet
from vsenumba.data.captions.readers import coco, emoji, flickr, iapr, karpathy, native, precomputed, tables
from vsenumba.errors import FileFormatError, InputError
from vsenumba.storage import exists

__all__ = ["CAPTION_READERS", "CaptionReader", "load_caption_set"]


class CaptionReader(Protocol):
    """What a module of this folder offers."""

    DESCRIPTION: str

    def recognises(self, path: Path) -> bool:
        """Tell whether a file or folder is of this layout."""

    def read(self, path: Path, features: Path | None) -> CaptionSet:
        """Read it."""


CAPTION_READERS: tuple[CaptionReader, ...] = (
    native,
    precomputed,
    emoji,
    iapr,
    coco,
    karpathy,
    flickr,
    tables,
)


def load_caption_set(source: str | PathLike[str], features: str | PathLike[str] | None = None) -> CaptionSet:
    """Read a caption set from a file or folder of any layout that is known, recognised by its content.

    Parameters
    ----------
    source : str or path-like
        A native ``.h5`` file; a folder of ``train_ims.npy``, ``train_caps.txt`` and so on, as of VSE++, SCAN and VSE∞;
        Karpathy's JSON of a set, MS-COCO's of captions; a token file as of Flickr8k; a table with an image and a
        caption column; a folder of IAPR TC-12's texts; or a folder of emoji.
    features : str or path-like, optional
        For the layouts that have captions only: an ``.npy`` file of the images' rows, in the order of the file, (n, d)
        or (n, k, d). It is not read into memory.

    Raises
    ------
    InputError
        If there is no such file, or features are missing or do not fit.
    FileFormatError
        If the layout is unknown or something in it cannot be used.
    """
    given: list[object] = [source, "" if features is None else features]
    wrong = [one for one in given if not isinstance(one, (str, PathLike))]
    if wrong:
        raise InputError(
            f"source and features must be paths, not of type {type(wrong[0]).__name__}; use "
            "CaptionSet.from_lists for data in memory"
        )
    path = Path(source)
    if not exists(path):
        raise InputError(f"there is no file or folder {source}")
    for reader in CAPTION_READERS:
        if reader.recognises(path):
            return reader.read(path, None if features is None else Path(features))
    supported = "; ".join(reader.DESCRIPTION for reader in CAPTION_READERS)
    raise FileFormatError(f"{source} is not in a supported layout. Supported layouts: {supported}")
