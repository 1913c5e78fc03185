"""The section with examples: what the model suggests for some images, with thumbnails where there are pictures."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from vsenumba.data import AnnotationSet
from vsenumba.pictures import PictureFolder
from vsenumba.pictures.joining import join
from vsenumba.printable import printable
from vsenumba.reports.held_out import HeldOut
from vsenumba.reports.opened import Opened
from vsenumba.reports.parts import Card, Cards, Section, Text
from vsenumba.sheets.thumbnails import jpeg_of, thumbnail_or_none

N_IMAGES = 8
N_SUGGESTIONS = 5
# Labels of an image that has very many are not all shown.
_MOST_LABELS = 12
# Pixels, as on sheets of suggestions.
_SIDE = 256
# Among so many random images, those with a picture come first.
_CANDIDATES = 2_000


def examples_section(
    opened: Opened, data: AnnotationSet | None, held_out: HeldOut | str, pictures: Any
) -> Section | None:
    """Return the section; None where there is no model.

    Parameters
    ----------
    opened : Opened
        What the report is of.
    data : AnnotationSet or None
        All pairs; it may have titles.
    held_out : HeldOut or str
        Which labels were hidden from which model.
    pictures : path, PictureFolder or None
        The pictures of the images.
    """
    if isinstance(held_out, HeldOut):
        model, test = held_out.model, held_out.test
        said = "Random images, each with a label that was held out; a tick marks it among the suggestions."
    elif opened.model is not None:
        model, test = opened.model, opened.model.seen_
        said = "Random images of those the model was trained on, with the labels it suggests in addition."
    else:
        return None
    at_least = 1 if isinstance(held_out, HeldOut) else 2
    usable = np.flatnonzero(test.labels_per_image >= at_least)
    if not len(usable):
        usable = np.flatnonzero(test.labels_per_image)
    rows = np.random.default_rng(0).permutation(usable)[:_CANDIDATES]
    ids = test.image_ids.take(rows).tolist()
    paths = _paths(ids, pictures)
    if paths:
        rows = np.array(sorted(rows, key=lambda row: test.image_ids[int(row)] not in paths))
    rows = _unlike(opened.model.seen_ if opened.model is not None else test, test, rows)
    cards = _cards(model, test, rows, is_hidden=isinstance(held_out, HeldOut), data=data, paths=paths)
    return Section(
        "examples",
        "Examples",
        [
            Text(f"{said} Images with much the same labels are skipped. Scores can be compared within an image only."),
            Cards(cards),
        ],
    )


def _cards(
    model: Any, test: AnnotationSet, rows: np.ndarray, *, is_hidden: bool, data: AnnotationSet | None, paths: Any
) -> list[Card]:
    asked = test.select_images(rows)
    ids = asked.image_ids.take(np.arange(asked.n_images)).tolist()
    seen = model.seen_.reindex_images(asked.image_ids)
    if (model.image_ids_.find(asked.image_ids) >= 0).all():
        suggested = model.annotate(ids, n=N_SUGGESTIONS)
    else:
        suggested = model.annotate(asked.with_pairs(np.zeros(asked.n_pairs, bool)), n=N_SUGGESTIONS)
    cards = []
    for image, matches in zip(ids, suggested, strict=True):
        hidden = asked.labels_of(image) if is_hidden else []
        cards.append(
            Card(
                printable(image),
                _title(data, image),
                _thumbnail(paths.get(image)),
                _few(seen.labels_of(image)),
                _few(hidden),
                [(printable(name), f"{score:.3f}", name in hidden) for name, score in matches],
            )
        )
    return cards


def _unlike(labels_of: AnnotationSet, test: AnnotationSet, rows: np.ndarray) -> np.ndarray:
    """Return the first rows that share less than half of their labels with any before them."""
    known = labels_of.reindex_images(test.select_images(rows).image_ids)
    chosen: list[int] = []
    sets: list[set[int]] = []
    for i, row in enumerate(rows.tolist()):
        own = set(known.indices[known.indptr[i] : known.indptr[i + 1]].tolist())
        if all(2 * len(own & other) < len(own | other) for other in sets):
            chosen.append(row)
            sets.append(own)
        if len(chosen) == N_IMAGES:
            break
    return np.array(chosen, dtype=np.int64)


def _few(labels: Sequence[str]) -> list[str]:
    shown = [printable(label) for label in labels[:_MOST_LABELS]]
    return shown if len(labels) <= _MOST_LABELS else [*shown, f"and {len(labels) - _MOST_LABELS:,} more"]


def _title(data: AnnotationSet | None, image: str) -> str:
    if data is None or data.titles is None:
        return ""
    row = int(data.image_ids.find([image])[0])
    return printable(str(data.titles[row])) if row >= 0 else ""


def _paths(ids: Sequence[str], pictures: Any) -> dict[str, Path]:
    """Return the file of each image that is a picture."""
    if pictures is None:
        return {}
    folder = PictureFolder(pictures) if isinstance(pictures, (str, PathLike)) else pictures
    joined = join(ids, folder.image_ids, source="the images of the report")
    return {
        image: folder.path_of(folder.image_ids[row])
        for image, row in zip(ids, joined.rows.tolist(), strict=True)
        if row >= 0
    }


def _thumbnail(path: Path | None) -> str:
    pixels = None if path is None else thumbnail_or_none(path, _SIDE)
    return "" if pixels is None else f"data:image/jpeg;base64,{base64.b64encode(jpeg_of(pixels)).decode()}"
