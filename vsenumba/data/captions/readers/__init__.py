"""Readers of caption sets, one module per layout, chosen by content.

A reader is a module with ``DESCRIPTION`` (for people), ``recognises(path)`` and ``read(path, features)``. To support
another layout, add a module and a line in `CAPTION_READERS`.
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
    """The interface of the modules in this folder."""

    DESCRIPTION: str

    def recognises(self, path: Path) -> bool:
        """Return whether a file or folder has this layout."""

    def read(self, path: Path, features: Path | None) -> CaptionSet:
        """Read the caption set."""


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
    """Read a caption set from a file or folder in any supported layout, detected from its content.

    Parameters
    ----------
    source : str or path-like
        A native ``.h5`` file; a folder of ``train_ims.npy``, ``train_caps.txt`` and so on, as for VSE++, SCAN and VSE∞;
        Karpathy's JSON of a set; MS-COCO's JSON of captions; a token file in the form of Flickr8k; a table with an
        image and a caption column; a folder of IAPR TC-12's texts; or a folder of emoji.
    features : str or path-like, optional
        An ``.npy`` file with the rows of the images, (n, d) or (n, k, d), in the order of `source`. Layouts that have
        only captions need it. It is not read into memory.

    Raises
    ------
    InputError
        If the file does not exist, or features are missing or do not match the captions.
    FileFormatError
        If the layout is unknown, or the content is invalid.
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
