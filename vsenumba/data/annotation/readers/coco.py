"""MS-COCO's JSON, ``instances_*.json``, and similar files: images, annotations and categories."""

from __future__ import annotations

import re
from array import array
from pathlib import Path
from typing import Any

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.pairs import pairs_to_csr
from vsenumba.data.annotation.readers.options import TableOptions, refuse_options
from vsenumba.data.json_members import members_of
from vsenumba.errors import FileFormatError, InputError

NAME = "coco"
DESCRIPTION = "a JSON of MS-COCO's instances: images, annotations and categories"

_BEGINNING = re.compile(
    rb'(\xef\xbb\xbf)?\s*\{\s*("(images|annotations|categories|licenses)"\s*:\s*\[\s*[\]{]|"info"\s*:\s*\{'
    rb'|"type"\s*:\s*"instances")'
)


def recognises(path: Path, head: bytes) -> bool:
    """Return whether the file starts with one of the lists of such an object."""
    return path.is_file() and _BEGINNING.match(head) is not None


def read(path: Path, options: TableOptions) -> AnnotationSet:
    """Read the categories of the objects in each image.

    Labels are all categories, in the order of their numbers, which may have gaps. Images without annotations are kept.
    The id of an image is its file name.
    """
    refuse_options(path, options)
    images: dict[int, int] = {}
    names: list[str] = []
    categories: dict[int, str] = {}
    owners, kinds = array("q"), array("q")
    seen = set()
    for name, number, value in members_of(path):
        seen.add(name)
        if number is None or name not in ("images", "annotations", "categories"):
            continue
        try:
            if name == "images":
                _add(images, value["id"], len(names), "image")
                names.append(_name_of(value))
            elif name == "categories":
                _add(categories, value["id"], value["name"], "category")
            elif "category_id" not in value and "caption" in value:
                raise InputError(f"{path} has captions, not labels; read it with load_caption_set")
            else:
                owners.append(value["image_id"])
                kinds.append(value["category_id"])
        except (KeyError, TypeError, AttributeError, OverflowError) as error:
            what = f"it has no {error}" if isinstance(error, KeyError) else str(error)
            raise FileFormatError(f"{path}: {name!r}, element {number}: {what}") from error
        except FileFormatError as error:
            raise FileFormatError(f"{path}: {name!r}, element {number}: {error}") from error
    missing = [name for name in ("images", "annotations", "categories") if name not in seen]
    if missing:
        raise FileFormatError(f"{path} has no list of {' and '.join(missing)}")
    order = sorted(categories)
    rows = _found(path, owners, images, "image")
    columns = _found(path, kinds, {number: column for column, number in enumerate(order)}, "category")
    indptr, indices = pairs_to_csr(rows, columns, len(names), len(order))
    try:
        return AnnotationSet(indptr, indices, len(order), names, [categories[number] for number in order])
    except InputError as error:
        raise FileFormatError(f"{path}: {error}") from error


def _add(known: dict[int, Any], number: Any, value: Any, kind: str) -> None:
    if not isinstance(number, int) or isinstance(number, bool):
        raise FileFormatError(f"the id {number!r:.40} is not a whole number")
    if number in known:
        raise FileFormatError(f"the {kind} {number} is listed twice")
    known[number] = value


def _name_of(image: Any) -> str:
    # Some sets made from COCO images have only the URL of an image.
    name = image["file_name"] if "file_name" in image else str(image["coco_url"]).rpartition("/")[2]
    if not isinstance(name, str):
        raise FileFormatError(f"the file name is {name!r:.40}, which is not a text")
    return name


def _found(path: Path, numbers: array[int], known: dict[int, int], kind: str) -> np.ndarray:
    places = np.fromiter((known.get(number, -1) for number in numbers), np.int64, len(numbers))
    lost = np.flatnonzero(places < 0)
    if len(lost):
        raise FileFormatError(
            f"{path}: annotation {int(lost[0])} has the {kind} {numbers[int(lost[0])]}, which is not in the file "
            f"({len(lost):,} such annotation(s))"
        )
    return places
