"""Posts of Danbooru, as JSON or JSON Lines: labels by category, in texts separated by spaces."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.readers.gathering import Gathering
from vsenumba.data.annotation.readers.json_stream import open_json, starts_json
from vsenumba.data.annotation.readers.options import TableOptions, refuse_options
from vsenumba.errors import FileFormatError, InputError, near_names

NAME = "danbooru"
DESCRIPTION = "posts of Danbooru as JSON, with tag_string_general and similar keys"
# Categories by name, because their numbers differ between dumps.
_KINDS = ("general", "character", "copyright", "artist", "meta")
_KEYS = tuple(f"tag_string_{kind}" for kind in _KINDS)
_ALL = "tag_string"
# Keys of posts that the site no longer shows.
_GONE = ("is_deleted", "is_banned")


def recognises(path: Path, head: bytes) -> bool:
    """Return whether `head` is JSON with such keys."""
    return starts_json(head) and b'"tag_string' in head


def read(path: Path, options: TableOptions) -> AnnotationSet:
    """Read posts. Deleted and banned posts are skipped, with a warning that gives their number."""
    refuse_options(path, options, but=("image_column", "label_column"))
    image_key = options.image_column or "id"
    wanted = options.label_column
    gathering = Gathering(wanted or _ALL)
    n_gone = 0
    with open_json(path) as stream:
        is_array = stream.peek() == "["
        for post in stream.elements() if is_array else stream.values():
            if not isinstance(post, dict):
                raise FileFormatError(f"expected a post, not {post!r:.60}")
            if any(post.get(key) is True for key in _GONE):
                n_gone += 1
                continue
            image = post.get(image_key)
            if not isinstance(image, str):
                raise _no_key("image_column", image_key, post, options.image_column is not None)
            gathering.add(image, _labels_of(post, wanted))
        if is_array and stream.peek():
            raise FileFormatError(f"not valid JSON: {stream.peek()!r} after the end")
        stream.line = 0
        if n_gone:
            warnings.warn(f"skipped {n_gone:,} deleted or banned post(s)", UserWarning, stacklevel=2)
        return gathering.annotation_set()


def _labels_of(post: dict[str, Any], wanted: str | None) -> list[str]:
    keys = [wanted] if wanted is not None else [key for key in _KEYS if key in post] or [_ALL]
    labels: list[str] = []
    for key in keys:
        found = post.get(key)
        if not isinstance(found, str):
            raise _no_key("label_column", key, post, wanted is not None)
        labels += found.split()
    return labels


def _no_key(option: str, key: str, post: dict[str, Any], is_asked: bool) -> FileFormatError | InputError:
    found = f"the post has no text in {key!r}"
    if not is_asked:
        return FileFormatError(found)
    near = near_names(key, post, 1)
    return InputError(f"{option}={key!r}: {found}" + (f"; did you mean {near[0]!r}?" if near else ""))
