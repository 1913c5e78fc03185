"""Karpathy's JSON of Flickr8k, Flickr30k and MS-COCO: file names, parts and sentences of images."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from vsenumba.data.captions.caption_set import CaptionSet
from vsenumba.data.captions.readers.features import mapped_rows
from vsenumba.errors import FileFormatError

DESCRIPTION = "Karpathy's JSON of a set, with an .npy file of features"


def recognises(path: Path) -> bool:
    """Tell whether it is a file called so."""
    return path.is_file() and path.suffix.lower() == ".json"


def read(path: Path, features: Path | None) -> CaptionSet:
    """Read it; image i has the features of row i. The part "restval" of MS-COCO counts as "train"."""
    try:
        images = json.loads(path.read_text(encoding="utf-8"))["images"]
        ids = [str(image["filename"]) for image in images]
        parts = [str(image["split"]).replace("restval", "train") for image in images]
        texts = [[_text(sentence) for sentence in image["sentences"]] for image in images]
    except (ValueError, KeyError, TypeError) as error:
        raise FileFormatError(f"{path}: not Karpathy's JSON: {type(error).__name__}: {error}") from error
    rows = mapped_rows(features, len(ids), path.name)
    owners = np.repeat(np.arange(len(ids)), [len(one) for one in texts])
    captions = [text for one in texts for text in one]
    return CaptionSet(rows, captions, np.arange(len(ids)), owners, image_ids=ids, parts=parts)


def _text(sentence: dict[str, object]) -> str:
    if "raw" in sentence:
        return str(sentence["raw"])
    return " ".join(str(token) for token in sentence["tokens"])  # type: ignore[attr-defined]  # it is a list
