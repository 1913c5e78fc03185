"""Karpathy's JSON of Flickr8k, Flickr30k and MS-COCO: the file names, parts and sentences of images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from vsenumba.data.captions.caption_set import CaptionSet
from vsenumba.data.captions.readers.features import mapped_rows
from vsenumba.data.captions.readers.lines import naming
from vsenumba.errors import FileFormatError

DESCRIPTION = "a JSON file of Karpathy's splits, with an .npy file of features"


def recognises(path: Path) -> bool:
    """Return whether the file has the extension ``.json``."""
    return path.is_file() and path.suffix.lower() == ".json"


def read(path: Path, features: Path | None) -> CaptionSet:
    """Read the file. Row i of the features belongs to image i. MS-COCO's part "restval" counts as "train"."""
    try:
        images = json.loads(path.read_bytes().decode("utf-8-sig"), object_pairs_hook=_distinct)["images"]
        ids = [str(image["filename"]) for image in images]
        parts = [str(image["split"]).replace("restval", "train") for image in images]
        texts = [[_text(sentence) for sentence in image["sentences"]] for image in images]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FileFormatError(f"{path}: not Karpathy's JSON: {type(error).__name__}: {error}") from error
    for name, captions in zip(ids, texts, strict=True):
        if not all(text.strip() for text in captions):
            raise FileFormatError(
                f"{path}: caption {[bool(text.strip()) for text in captions].index(False)} of {name} is empty"
            )
    rows = mapped_rows(features, len(ids), path.name)
    owners = np.repeat(np.arange(len(ids)), [len(one) for one in texts])
    with naming(path):
        return CaptionSet(
            rows, [text for one in texts for text in one], np.arange(len(ids)), owners, image_ids=ids, parts=parts
        )


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return a JSON object, and raise an error if a name appears twice, as Python would use the last one."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(
            f"the name {next(name for name in found if names.count(name) > 1)!r} appears twice in an object"
        )
    return found


def _text(sentence: dict[str, Any]) -> str:
    text = sentence["raw"] if "raw" in sentence else " ".join(sentence["tokens"])
    if not isinstance(text, str):
        raise TypeError(f"a caption is {text!r:.40}")
    return text
