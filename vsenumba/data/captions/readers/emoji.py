"""Emoji drawn by several vendors: ``emoji.jsonl``, ``images.tsv`` and ``thumbs64.npz`` in a folder.

A line of ``emoji.jsonl`` has a code ("hex"), a name ("label"), tags and keywords. A row of ``images.tsv`` has the
vendor and the code of the picture at the same position in ``thumbs64.npz``. All pictures of a code are one subject.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path

import numpy as np

from vsenumba.data.archives import check_archive
from vsenumba.data.captions.caption_set import CaptionSet
from vsenumba.data.captions.picture_grid import grid_features
from vsenumba.data.captions.ragged import Ragged
from vsenumba.data.captions.readers.lines import lines_of, naming
from vsenumba.errors import FileFormatError, InputError
from vsenumba.storage import check_readable, content_of

DESCRIPTION = "a folder of emoji.jsonl, images.tsv and thumbs64.npz"

_TEXTS, _ROWS, _PICTURES = "emoji.jsonl", "images.tsv", "thumbs64.npz"


def recognises(path: Path) -> bool:
    """Return whether the folder has the three files."""
    return path.is_dir() and all((path / name).exists() for name in (_TEXTS, _ROWS, _PICTURES))


def read(path: Path, features: Path | None) -> CaptionSet:
    """Compute grid features of the pictures, and read up to three captions per code: name, tags and keywords."""
    if features is not None:
        raise InputError(f"{path} contains pictures, and features are computed from them; leave out features")
    records = _records(path / _TEXTS)
    rows = _rows(path / _ROWS)
    pictures = _pictures(path / _PICTURES)
    subjects = {code: i for i, code in enumerate(records)}
    texts = [(i, text) for i, captions in enumerate(records.values()) for text in captions]
    unknown = next((code for _, code in rows if code not in subjects), None)
    if unknown is not None:
        raise FileFormatError(f"{path / _ROWS}: {unknown!r} is not in {_TEXTS}")
    image_subjects = np.array([subjects[code] for _, code in rows], np.int64)
    if len(pictures) != len(rows):
        raise FileFormatError(f"{path}: {len(pictures):,} pictures for {len(rows):,} rows of {_ROWS}")
    shown = np.isin([subject for subject, _ in texts], image_subjects)
    texts = [text for text, keep in zip(texts, shown, strict=True) if keep]
    try:
        rows_of_cells = Ragged.of(grid_features(pictures), "image")
    except InputError as error:
        raise FileFormatError(f"{path / _PICTURES}: {error}") from error
    with naming(path):
        return CaptionSet(
            rows_of_cells,
            [text for _, text in texts],
            image_subjects,
            np.array([subject for subject, _ in texts]),
            image_ids=[f"{vendor}/{code}" for vendor, code in rows],
            thumbnails=pictures,
        )


def _pictures(path: Path) -> np.ndarray:
    """Return the first array of an archive."""
    check_readable(path)
    with content_of(path), path.open("rb") as file:
        check_archive(file, path.stat().st_size, "keep fewer pictures in it")
        try:
            with np.load(file, allow_pickle=False) as archive:
                return np.asarray(archive[archive.files[0]])
        except (
            ValueError,
            KeyError,
            TypeError,
            IndexError,
            OSError,
            EOFError,
            zipfile.BadZipFile,
            zlib.error,
        ) as error:
            raise FileFormatError(f"not an .npz file of pictures: {error}") from error


def _records(path: Path) -> dict[str, list[str]]:
    """Return the captions of every code: its name, its tags and its keywords, without missing ones."""
    records: dict[str, list[str]] = {}
    for number, line in lines_of(path):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            words = [" ".join(record[name]).replace("_", " ") for name in ("tags", "keywords")]
            code, texts = record["hex"], [record["label"], *words]
            known = records.setdefault(code, captions := [text for text in texts if text.strip()])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise FileFormatError(f"{path}, line {number}: not an emoji: {type(error).__name__}: {error}") from error
        if known is not captions:
            raise FileFormatError(f"{path}, line {number}: {code!r} is listed twice")
    return records


def _rows(path: Path) -> list[tuple[str, str]]:
    """Return the vendor and the code of every picture."""
    lines = ((number, line.split("\t")) for number, line in lines_of(path) if line.strip())
    _, header = next(lines, (1, []))
    if not {"vendor", "hex"} <= set(header):
        raise FileFormatError(f"{path}, line 1: expected the columns 'vendor' and 'hex', found {header!r:.80}")
    rows = []
    for number, cells in lines:
        if len(cells) != len(header):
            raise FileFormatError(f"{path}, line {number}: {len(cells)} cells, but the first line has {len(header)}")
        rows.append((cells[header.index("vendor")], cells[header.index("hex")]))
    return rows
