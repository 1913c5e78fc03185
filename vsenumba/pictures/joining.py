"""Match the images of a table to the pictures of a folder, by their paths or parts of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError, near_names
from vsenumba.pictures.decode import ENDINGS
from vsenumba.pictures.folder import OTHER_FORMATS

#: Ways to match an image, in the order in which they are tried.
WAYS = ("by path", "by name or part of the path", "without the ending", "whatever the case of letters")

_ENDINGS = ENDINGS | OTHER_FORMATS
_SHOWN = 3


class Joined(NamedTuple):
    """The matches between the images of a table and the pictures of a folder.

    Attributes
    ----------
    rows : (n_images,) int64 array
        The picture of each image of the table; -1 if the image has none.
    ways : dict from str to int
        The number of images matched in each way; see `WAYS`.
    lost : list of str
        The images without a picture.
    """

    rows: np.ndarray
    ways: dict[str, int]
    lost: list[str]


def join(images: Iterable[str], pictures: Sequence[str], *, source: str = "the tags", root: str = "") -> Joined:
    r"""Match the images of a table to pictures.

    An identical path has priority. Otherwise one path must be the end of the other, in whole folder names: ``a.jpg``
    and ``/photos/birds/a.jpg`` match ``birds/a.jpg``, but ``cats/a.jpg`` does not. Images that are still without a
    match are compared without file endings, and then without regard to case.

    Parameters
    ----------
    images : iterable of str
        The ids of the table. Backslashes count as ``/``.
    pictures : sequence of str
        The ids of the pictures.
    source, root : str
        The names of the table and the folder in messages.

    Raises
    ------
    InputError
        If an image matches several pictures, several images match one picture, or no image matches a picture.

    Examples
    --------
    >>> join(["birds/a.jpg", "c", "d"], ["birds/a.jpg", "birds/c.png"]).rows
    array([ 0,  1, -1])
    """
    images = list(images)
    rows = np.full(len(images), -1, np.int64)
    ways: dict[str, int] = {}
    names = [_path(image) for image in images]
    found_by = dict[int, int]()  # from pictures to images
    for way, (with_ending, any_case) in zip(WAYS[1:], ((True, False), (False, False), (False, True)), strict=True):
        left = np.flatnonzero(rows < 0)
        if not len(left):
            break
        index = _Index(pictures, with_ending, any_case)
        if with_ending:
            for i in left:
                if (row := index.whole.get(names[i], [-1])[0]) >= 0:
                    _take(rows, found_by, int(i), row, images, pictures, source)
            ways[WAYS[0]] = int((rows >= 0).sum())
            left = np.flatnonzero(rows < 0)
        n_before = int((rows >= 0).sum())
        for i in left:
            candidates = index.find(names[i])
            if len(candidates) > 1:
                some = " or ".join(repr(pictures[row]) for row in candidates[:_SHOWN])
                raise InputError(
                    f"{images[i]!r} in {source} could be {some}"
                    f"{f' or {len(candidates) - _SHOWN:,} others' if len(candidates) > _SHOWN else ''}; use the path "
                    "within the folder, with its ending, in the table"
                )
            if candidates:
                _take(rows, found_by, int(i), candidates[0], images, pictures, source)
        ways[way] = int((rows >= 0).sum()) - n_before
    lost = [images[i] for i in np.flatnonzero(rows < 0)]
    if images and len(lost) == len(images):
        raise InputError(
            f"none of the {len(images):,} images in {source} is a picture{f' in {root}' if root else ''}: "
            f"{described_lost(lost, pictures)}"
        )
    return Joined(rows, {way: n for way, n in ways.items() if n}, lost)


def tagged_pictures(tags: AnnotationSet, pictures: Sequence[str], joined: Joined) -> AnnotationSet:
    """Return the set of all pictures, each with its labels in a table.

    Labels without any annotation of these pictures, present or absent, are left out.
    """
    here = np.flatnonzero(joined.rows >= 0)
    some = tags.select_images(here)
    some.image_ids = Vocabulary([pictures[row] for row in joined.rows[here]], "image")
    some.titles = None
    used = some.label_counts > 0
    if some.absent is not None:
        used[some.absent.indices] = True
    kept = np.flatnonzero(used)
    column = np.zeros(some.n_labels, np.int64)
    column[kept] = np.arange(len(kept))
    some = some.with_columns(column, Vocabulary(some.label_names.take(kept), "label"))
    return some.with_features(None).reindex_images(Vocabulary(pictures, "image"))


def described_lost(lost: Sequence[str], pictures: Sequence[str]) -> str:
    """Describe the first images without a picture, each with the picture that has the most similar id."""
    texts = []
    for image in lost[:_SHOWN]:
        near = near_names(image, pictures, n=1, likeness=0.3)
        texts.append(f"{image!r} (nearest picture: {near[0]!r})" if near else f"{image!r}")
    more = f" and {len(lost) - _SHOWN:,} more" if len(lost) > _SHOWN else ""
    example = "" if "nearest" in "".join(texts) else f"; pictures are called like {pictures[0]!r}"
    return ", ".join(texts) + more + example


class _Index:
    """An index of pictures by their paths and the ends of their paths."""

    def __init__(self, pictures: Sequence[str], with_ending: bool, any_case: bool) -> None:
        self._with_ending = with_ending
        self._any_case = any_case
        self.whole: Mapping[str, list[int]] = defaultdict(list)
        self.ends: Mapping[str, list[int]] = defaultdict(list)
        for row, picture in enumerate(pictures):
            key = self._key(picture)
            self.whole[key].append(row)
            for end in _ends(key):
                self.ends[end].append(row)

    def _key(self, path: str) -> str:
        path = path if self._with_ending else _without_ending(path)
        return path.casefold() if self._any_case else path

    def find(self, path: str) -> list[int]:
        """Return the pictures that a path matches."""
        key = self._key(path)
        # An identical path has priority over paths with the same end.
        for table, keys in ((self.whole, [key]), (self.ends, [key]), (self.whole, _ends(key))):
            for one in keys:
                if one in table:
                    return table[one]
        return []


def _take(
    rows: np.ndarray,
    found_by: dict[int, int],
    i: int,
    row: int,
    images: Sequence[str],
    pictures: Sequence[str],
    source: str,
) -> None:
    if row in found_by:
        raise InputError(
            f"{images[found_by[row]]!r} and {images[i]!r} in {source} both match the picture "
            f"{pictures[row]!r}; use one "
            "name for them, the path within the folder"
        )
    found_by[row] = i
    rows[i] = row


def _path(image: str) -> str:
    """Return the id of an image as a path with forward slashes and without "." and empty parts."""
    parts = [part for part in image.replace("\\", "/").split("/") if part not in ("", ".")]
    return "/".join(parts)


def _without_ending(path: str) -> str:
    ending = PurePosixPath(path).suffix
    return path.removesuffix(ending) if ending.lower() in _ENDINGS else path


def _ends(path: str) -> list[str]:
    """Return the proper ends of a path, the longest first."""
    parts = path.split("/")
    return ["/".join(parts[start:]) for start in range(1, len(parts))]
