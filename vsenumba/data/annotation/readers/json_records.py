"""JSON and JSON Lines: records with an image and its labels, or one object that maps images to labels.

The reader streams the records, so an array can be larger than memory.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.readers.gathering import Gathering
from vsenumba.data.annotation.readers.json_stream import JsonStream, Number, distinct, open_json, starts_json
from vsenumba.data.annotation.readers.options import TableOptions, refuse_options
from vsenumba.data.annotation.readers.tables import IMAGE_COLUMNS, LABEL_COLUMNS, as_column
from vsenumba.data.annotation.readers.truths import Truths
from vsenumba.errors import FileFormatError, InputError, near_names

NAME = "json"
DESCRIPTION = "JSON or JSON Lines, of records of an image and its labels, or from images to labels"
# A record has at most this many keys. In a larger object, the keys are images.
_MOST_KEYS = 1000


def recognises(path: Path, head: bytes) -> bool:
    """Return whether `head` starts like an array or an object."""
    return starts_json(head)


def read(path: Path, options: TableOptions) -> AnnotationSet:
    """Read records one by one."""
    refuse_options(path, options, but=("image_column", "label_column", "separator", "threshold"))
    with open_json(path) as stream:
        reading = _Reading(options)
        if stream.peek() == "[":
            for record in stream.elements():
                reading.add_record(record)
        else:
            _read_objects(stream, reading)
        if stream.peek():
            raise FileFormatError(f"not valid JSON: {stream.peek()!r} after the end")
        stream.line = 0  # messages from here on are about all records
        return reading.annotation_set()


def _read_objects(stream: JsonStream, reading: _Reading) -> None:
    """Read one object that maps images to labels, or consecutive records (JSON Lines)."""
    stream.take("{")
    items = stream.rest_of_items() if stream.peek() != "}" else _close(stream)
    first = distinct(list(islice(items, _MOST_KEYS)))
    if len(first) == _MOST_KEYS or (stream.peek() == "" and not reading.is_record(first)):
        for image, value in chain(first.items(), items):
            reading.add_image(image, value)
        return
    stream.record = 1
    reading.add_record(first)
    for record in stream.values():
        reading.add_record(record)


def _close(stream: JsonStream) -> Iterator[tuple[str, Any]]:
    stream.take("}")
    yield from ()


class _Reading:
    """The records read so far, and the keys of the images and the labels."""

    def __init__(self, options: TableOptions) -> None:
        self._options = options
        self._image_key, self._label_key = options.image_column, options.label_column
        self._gathering = Gathering(options.label_column or "labels", options.separator)
        self._truths = Truths(options.threshold)
        self._first: Mapping[str, Any] | None = None

    def is_record(self, one: Mapping[str, Any]) -> bool:
        """Return whether a single object is a record. Otherwise its keys are images."""
        wanted = self._options.label_column
        if wanted is not None and (wanted in one or wanted.partition(".")[0] in one):
            return True
        if wanted is None and _usual(one, LABEL_COLUMNS):
            return True
        return len(one) == 1 and _usual(one, IMAGE_COLUMNS) is not None

    def add_record(self, record: Any) -> None:
        """Add a record, which is an object with a key for the image and one for its labels."""
        if not isinstance(record, dict):
            raise FileFormatError(
                f'expected a record, such as {{"id": "a.jpg", "tags": ["cat"]}}, not {_shown(record)}; in Python, use '
                "AnnotationSet.from_pairs or from_lists for other lists"
            )
        if self._image_key is None:
            self._image_key = _usual(record, IMAGE_COLUMNS)
        found = None if self._image_key is None else _at(record, self._image_key)
        if not isinstance(found, str):
            raise self._no_image(record, found)
        self._add(str(found), self._value_in(record))

    def add_image(self, image: str, value: Any) -> None:
        """Add an item of an object that maps images to labels, or to records with a key for the labels."""
        if isinstance(value, dict) and (self._label_key is not None or _usual(value, LABEL_COLUMNS)):
            value = self._value_in(value)
        self._add(image, value)

    def _value_in(self, record: Mapping[str, Any]) -> Any:
        self._first = self._first or record
        if self._label_key is None:
            usual = [key for key in record if as_column(key) in LABEL_COLUMNS]
            self._label_key = _usual(record, LABEL_COLUMNS)
            if len(usual) > 1:
                warnings.warn(
                    f"only {self._label_key} of the keys {', '.join(usual):.80} is read; use "
                    "--label-column to read another",
                    UserWarning,
                    stacklevel=2,
                )
            if self._label_key is not None:
                self._gathering.column = self._label_key
        return None if self._label_key is None else _at(record, self._label_key)

    def _add(self, image: str, value: Any) -> None:
        if isinstance(value, str) and not isinstance(value, Number):
            self._gathering.add_text(image, value)
            return
        self._gathering.add(image, self._labels_in(value))

    def _labels_in(self, value: Any) -> Iterable[str]:
        if value is None:
            return ()
        if isinstance(value, Number):
            return (value,)
        if isinstance(value, dict):
            return self._labels_by_score(value)
        if not isinstance(value, list):
            raise FileFormatError(f"expected labels, not {_shown(value)}")
        found = [one for one in value if one is not None]
        for one in found:
            if not isinstance(one, str):
                keys = [key for key, text in one.items() if isinstance(text, str)] if isinstance(one, dict) else []
                key = f"{self._label_key}." if self._label_key else ""
                ways = " or ".join(f"--label-column {key}{name}" for name in keys[:3])
                raise FileFormatError(f"expected a label, not {_shown(one)}" + (f"; use {ways}" if ways else ""))
        return found

    def _labels_by_score(self, value: Mapping[str, Any]) -> list[str]:
        """Return the labels of an object that maps labels to truth values or scores."""
        texts = {True: "true", False: "false", None: ""}
        labels = []
        for label, one in value.items():
            if not (one is None or isinstance(one, (bool, Number))):
                raise FileFormatError(
                    f"expected labels, not {_shown(value)}; name a key, as in --label-column "
                    f"{self._label_key or 'tags'}.{label}"[:300]
                )
            text = one if isinstance(one, Number) else texts[one]
            try:
                self._truths.learn([text])
            except FileFormatError as error:
                raise FileFormatError(f"the label {label!r:.80} {error}") from error
            if self._truths.is_true(text):
                labels.append(label)
        return labels

    def _no_image(self, record: Mapping[str, Any], found: Any) -> FileFormatError | InputError:
        keys = list(_paths(record))
        if self._image_key is None:
            return FileFormatError(
                f"no image key among {', '.join(keys):.200}; name one with --image-column (in Python "
                "image_column=...), "
                "with dots for nested keys"
            )
        if found is None and self._options.image_column is not None:
            near = near_names(self._image_key, keys, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            return InputError(f"image_column={self._image_key!r} is not among the keys {', '.join(keys):.200}{hint}")
        if found is None and self._image_key in keys:
            return FileFormatError(f"the record's {self._image_key!r} is null; every record needs an image")
        if found is None:
            return FileFormatError(f"the record has no {self._image_key!r}, only {', '.join(keys):.200}")
        within = next((key for key in keys if key.startswith(f"{self._image_key}.")), None)
        hint = f"; use --image-column {within}" if within else ""
        return FileFormatError(f"expected an image in {self._image_key!r}, not {_shown(found)}{hint}")

    def annotation_set(self) -> AnnotationSet:
        """Return the set of all records."""
        if self._first is not None and not self._gathering.n_labels:
            keys = list(_paths(self._first))
            if self._label_key is None:
                raise FileFormatError(
                    f"no label key among {', '.join(keys):.200}; name one with --label-column (in Python "
                    "label_column=...), "
                    "with dots for nested keys"
                )
            if self._options.label_column is not None and _at(self._first, self._label_key) is None:
                near = near_names(self._label_key, keys, 1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise InputError(f"label_column={self._label_key!r} is not among the keys {', '.join(keys):.200}{hint}")
        self._truths.check_all()
        if self._options.threshold is not None and not self._truths.n_learnt:
            raise InputError(f"threshold={self._options.threshold!r} needs scores, and the records have none")
        return self._gathering.annotation_set()


def _usual(record: Mapping[str, Any], usual: tuple[str, ...]) -> str | None:
    """Return the first of the usual names that is a key of the record."""
    keys = {as_column(key): key for key in reversed(list(record))}
    return next((keys[name] for name in usual if name in keys), None)


def _at(value: Any, key: str) -> Any:
    """Return the value at a key, or at nested keys separated by dots. For a list, return the value in each element."""
    if isinstance(value, list):
        found: list[Any] = []
        for one in value:
            inner = _at(one, key)
            found.extend(inner if isinstance(inner, list) else [inner])
        return found
    if not isinstance(value, dict):
        return None
    if key in value:
        return value[key]
    outer, _, inner_key = key.partition(".")
    return _at(value[outer], inner_key) if inner_key and outer in value else None


def _paths(record: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the keys of a record, and its nested keys, separated by dots."""
    for key, value in islice(record.items(), 30):
        yield f"{prefix}{key}"
        inner = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, dict) and not prefix:
            yield from _paths(inner, f"{key}.")


def _shown(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", bool: "true or false", type(None): "null"}
    return f"{kinds.get(type(value), 'a value')}, {value!r:.60}"
