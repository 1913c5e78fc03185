"""Emoji as several vendors draw them: ``emoji.jsonl``, ``images.tsv`` and ``thumbs64.npz`` in a folder.

A line of the first has a code ("hex"), a name ("label"), tags and keywords; a row of the second says which vendor's
picture of which code stands at that place of the third. All pictures of a code are one subject.
"""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import numpy as np

from vsenumba.data.captions.caption_set import CaptionSet
from vsenumba.data.captions.picture_grid import grid_features
from vsenumba.data.captions.ragged import Ragged
from vsenumba.errors import FileFormatError, InputError

DESCRIPTION = "a folder of emoji.jsonl, images.tsv and thumbs64.npz"

_TEXTS, _ROWS, _PICTURES = "emoji.jsonl", "images.tsv", "thumbs64.npz"


def recognises(path: Path) -> bool:
    """Tell whether the three files are there."""
    return path.is_dir() and all((path / name).exists() for name in (_TEXTS, _ROWS, _PICTURES))


def read(path: Path, features: Path | None) -> CaptionSet:
    """Read the pictures' grid features, and for each code three captions: its name, its tags, and its keywords."""
    if features is not None:
        raise InputError(f"{path} has pictures, of which features are made; leave features out")
    try:
        records = [json.loads(line) for line in (path / _TEXTS).read_text(encoding="utf-8").splitlines()]
        with (path / _ROWS).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        with np.load(path / _PICTURES, allow_pickle=False) as archive:
            pictures = archive[archive.files[0]]
        subjects = {record["hex"]: i for i, record in enumerate(records)}
        texts = [(i, text) for i, record in enumerate(records) for text in _captions(record)]
        image_subjects = np.array([subjects[row["hex"]] for row in rows])
        ids = [f"{row['vendor']}/{row['hex']}" for row in rows]
    except (ValueError, KeyError, TypeError, IndexError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise FileFormatError(f"{path}: not such a folder: {type(error).__name__}: {error}") from error
    if len(pictures) != len(rows):
        raise FileFormatError(f"{path}: {len(pictures):,} pictures for {len(rows):,} rows of {_ROWS}")
    shown = np.isin([subject for subject, _ in texts], image_subjects)
    texts = [text for text, keep in zip(texts, shown, strict=True) if keep]
    try:
        rows_of_cells = Ragged.of(grid_features(pictures), "image")
    except InputError as error:
        raise FileFormatError(f"{path / _PICTURES}: {error}") from error
    return CaptionSet(
        rows_of_cells,
        [text for _, text in texts],
        image_subjects,
        np.array([subject for subject, _ in texts]),
        image_ids=ids,
        thumbnails=pictures,
    )


def _captions(record: dict[str, object]) -> list[str]:
    """Return the name, the tags and the keywords, as far as there are any."""
    words = [" ".join(record[name]).replace("_", " ") for name in ("tags", "keywords")]  # type: ignore[arg-type]
    return [text for text in (str(record["label"]), *words) if text.strip()]
