"""Tables with typed columns, such as data frames and Parquet files: pairs, a column of lists, or wide tables.

Data frames of pandas, Polars and PyArrow are recognised by their attributes. Others are read through narwhals.
"""

from __future__ import annotations

import warnings
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.pairs import pairs_to_csr
from vsenumba.data.annotation.readers.gathering import Gathering
from vsenumba.data.annotation.readers.options import TableOptions
from vsenumba.data.annotation.readers.tables import (
    IMAGE_COLUMNS,
    LABEL_COLUMNS,
    find_column,
    no_such_column,
    warn_of_others,
)
from vsenumba.data.annotation.readers.truths import Truths
from vsenumba.data.names import as_name
from vsenumba.errors import FileFormatError, InputError

# The number of values to check in order to detect the kind of a column.
_SAMPLE = 1000


class Frame:
    """A data frame, or a part of one: columns by name, and perhaps an index.

    Parameters
    ----------
    names : sequence of str
        The names of the columns.
    column : callable
        A function that returns a column as a NumPy array, given its name.
    n_rows : int
        The number of rows.
    index : sequence, optional
        The names of the rows, if they are not in a column. None for a default index of 0, 1, ...
    """

    def __init__(
        self, names: Sequence[Any], column: Callable[[Any], np.ndarray], n_rows: int, index: Sequence[Any] | None = None
    ) -> None:
        self._column = column
        self.names = [as_name(name, f"the name of column {i}") for i, name in enumerate(names)]
        self._keys = dict(zip(self.names, names, strict=True))
        self.n_rows = n_rows
        self.index = index
        twice = next((name for name, n in Counter(self.names).items() if n > 1), None)
        if twice is not None:
            raise FileFormatError(f"the column {twice!r:.80} appears twice; rename one of them")

    def column(self, name: str) -> np.ndarray:
        """Return a column as an array. Values other than numbers and truth values become objects."""
        return self._column(self._keys[name])

    def kind(self, name: str) -> str:
        """Return the kind of a column: ``"list"``, ``"text"``, ``"truth"`` (also 0 and 1), ``"number"`` or another."""
        values = self.column(name)
        if values.dtype.kind in "biuf":
            return "truth" if _are_flags(values) else "number"
        some = [value for value in values[:_SAMPLE].tolist() if not _is_missing(value)]
        for kind, types in (("text", str), ("truth", bool), ("number", (int, float)), ("list", _LISTS)):
            if some and all(isinstance(value, types) for value in some):
                return kind
        return "nothing" if not some else "else"


_LISTS = (list, tuple, set, frozenset, np.ndarray)


def _are_flags(values: np.ndarray) -> bool:
    """Return whether numbers are only 0, 1 and missing values."""
    flags = (values == 0) | (values == 1)
    return bool((flags | np.isnan(values)).all() if values.dtype.kind == "f" else flags.all())


def _is_missing(value: Any) -> bool:
    return value is None or (not isinstance(value, (str, *_LISTS)) and as_name_or_none(value) == "")


def as_name_or_none(value: Any) -> str | None:
    """Return a value as a name, or None if it cannot be a name."""
    try:
        return as_name(value, "")
    except InputError:
        return None


def _has(data: Any, name: str) -> bool:
    """Return whether an object has an attribute, without computing it, which can be slow for a lazy frame."""
    return hasattr(type(data), name) or name in getattr(data, "__dict__", {})


def is_frame(data: Any) -> bool:
    """Return whether it is a data frame of any library, or an object that exports an Arrow stream."""
    if any(_has(data, name) for name in ("columns", "column_names", "collect_schema")):
        return True
    return _has(data, "__arrow_c_stream__") and not _has(data, "dtype") and not _has(data, "type")


def as_frame(data: Any) -> Frame:
    """Convert a data frame of any library to a `Frame`.

    Raises
    ------
    InputError
        If a required library is not installed.
    """
    if _has(data, "column_names") and _has(data, "schema"):  # PyArrow's tables
        return arrow_frame(data)
    if _has(data, "columns") and _has(data, "shape"):  # pandas and Polars
        names, index = list(data.columns), ids_of(getattr(data, "index", None))
        if _has(data, "__getitem__"):
            return Frame(names, lambda name: _as_array(data[name]), data.shape[0], index)
        values = np.asarray(data)
        return Frame(names, lambda name: values[:, names.index(name)], data.shape[0], index)
    if _has(data, "__arrow_c_stream__") and not _has(data, "collect_schema"):
        return arrow_frame(_library("pyarrow").table(data))
    frame = _library("narwhals").from_native(data)
    return arrow_frame((frame.collect() if hasattr(frame, "collect") else frame).to_arrow())


def _library(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(f"this needs {name}; install it with: pip install 'vsenumba[frames]'") from error


def arrow_frame(table: Any) -> Frame:
    """Convert a PyArrow table or record batch. From a struct with a path, such as a picture, only the path is used."""

    def column(name: str) -> np.ndarray:
        values = table.column(name)
        if values.null_count == 0 and _is_plain_number(values.type):
            return np.asarray(values)
        return _objects(values.to_pylist())

    return Frame(table.column_names, column, table.num_rows)


def _is_plain_number(kind: Any) -> bool:
    return str(kind).startswith(("bool", "int", "uint", "float", "double", "halffloat"))


def _as_array(column: Any) -> np.ndarray:
    """Return a column of pandas, Polars or a similar library as an array."""
    if getattr(column, "ndim", 1) != 1:
        raise FileFormatError("two columns have the same name; rename one of them")
    array = np.asarray(column)
    if array.ndim == 1 and array.dtype.kind in "biuf":
        return array
    to_list = getattr(column, "tolist", None) or column.to_list
    return _objects(to_list())


def _objects(values: Sequence[Any]) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):  # one by one: NumPy would turn lists of equal length into rows
        array[i] = value.get("path") if isinstance(value, dict) and "path" in value else value
    return array


def ids_of(index: Any) -> list[Any] | None:
    """Return the names of a data frame's rows, or None for the default index of 0, 1, ..."""
    by_default = getattr(index, "start", None) == 0 and getattr(index, "step", None) == 1
    return None if index is None or callable(index) or by_default else list(index)


class FrameReading:
    """Read a table part by part. The first part determines how to read all parts.

    Parameters
    ----------
    first : Frame
        The first part, or the whole table.
    options : TableOptions
        The options for reading.
    label_names : mapping from str to sequence of str, optional
        For each column with label numbers, the names of the labels.
    """

    def __init__(
        self, first: Frame, options: TableOptions, label_names: dict[str, Sequence[str]] | None = None
    ) -> None:
        self._options = options
        self._names_of = label_names or {}
        names = first.names
        image_at = find_column(names, options.image_column, IMAGE_COLUMNS)
        label_at = find_column(names, options.label_column, LABEL_COLUMNS)
        for option, at in (("image_column", image_at), ("label_column", label_at)):
            wanted = getattr(options, option)
            if wanted is not None and at is None:
                raise no_such_column(option, wanted, names)
        kinds = {name: first.kind(name) for name in names}
        self.image = None if image_at is None else names[image_at]
        is_flag = self.image is not None and options.image_column is None and kinds[self.image] == "truth"
        if is_flag and (first.index is not None or first.n_rows > 2):
            self.image = None  # this column is a label, for example of images that show a photo
        nameless = self.image if kinds.get(self.image or "") == "nothing" and options.image_column is None else None
        if nameless is not None and first.n_rows:
            warnings.warn(
                f"the column {nameless!r:.80} has no names: images are numbered by row",
                UserWarning,
                stacklevel=3,
            )
            self.image = None
        self.label: str | None = None if label_at is None else names[label_at]
        others = [name for name in names if name not in (self.image, nameless)]
        has_ids = self.image is not None or first.index is not None
        lists = [name for name in others if kinds[name] == "list"]
        values = all(kinds[name] in ("truth", "number", "nothing") for name in others)
        truths = all(kinds[name] in ("truth", "nothing") for name in others)
        are_flags = truths and (len(others) > 1 or not has_ids) and self.label not in self._names_of
        if options.label_column is None and are_flags:
            self.label = None
        elif self.label is None and len(lists) == 1:
            (self.label,) = lists
        self.is_wide = self.label is None and values and bool(others)
        if self.label is not None and self.label == self.image:
            raise InputError(f"image_column and label_column are both {self.label!r}; they must differ")
        if not self.is_wide and (self.label is None or not (has_ids or kinds[self.label] == "list" or self._names_of)):
            raise FileFormatError(_way_out(names, lists, self.label))
        if self.label is not None and kinds[self.label] != "list":
            warn_of_others(names, self.label, options.label_column)
        self._is_numbered = not has_ids
        self._labels = others
        self._gathering = Gathering(self.label or "", options.separator)
        self._truths = Truths(options.threshold)
        self._images: dict[str, int] = {}
        self._image_codes, self._label_codes = array("q"), array("q")
        self._n_rows = 0
        self._refuse_useless()

    def _refuse_useless(self) -> None:
        useless = {"separator": self.is_wide, "threshold": not self.is_wide, "first_number": True}
        for option, is_useless in useless.items():
            value = getattr(self._options, option)
            if is_useless and value is not None:
                what = "a column for each label" if self.is_wide else f"its labels in {self.label!r}"
                raise InputError(f"{option}={value!r} cannot be used with this table, which has {what}")

    @property
    def columns(self) -> list[str]:
        """The columns to read."""
        return [*([self.image] if self.image else []), *(self._labels if self.label is None else [self.label])]

    def add(self, part: Frame) -> None:
        """Read a part."""
        if self.image is not None:
            images: Iterable[Any] = part.column(self.image).tolist()
        elif part.index is not None:
            images = part.index
        else:
            images = range(self._n_rows, self._n_rows + part.n_rows)
        ids = [as_name(image, f"the image in row {self._n_rows + i}") for i, image in enumerate(images)]
        if self.is_wide:
            self._add_wide(part, ids)
        else:
            self._add_labels(part, ids)
        self._n_rows += part.n_rows

    def _add_labels(self, part: Frame, ids: list[str]) -> None:
        assert self.label is not None  # noqa: S101  # as it is not wide
        names = self._names_of.get(self.label)
        where = f"a label in {self.label!r}"

        def named(value: Any) -> str:
            if names is None or isinstance(value, str):
                return as_name(value, where)
            if _is_missing(value) or value == -1:  # -1 marks a test part with hidden labels
                return ""
            if not 0 <= value < len(names):
                raise FileFormatError(f"{value} in {self.label!r} is not one of the {len(names):,} named labels")
            return names[value]

        for image, value in zip(ids, part.column(self.label).tolist(), strict=True):
            if isinstance(value, _LISTS):
                found = [named(one) for one in (value.tolist() if isinstance(value, np.ndarray) else value)]
                self._gathering.add(image, sorted(found) if isinstance(value, (set, frozenset)) else found)
            elif isinstance(value, str):
                self._gathering.add_text(image, value)
            elif _is_missing(value):
                self._gathering.add(image, [])
            elif names is not None:
                self._gathering.add(image, [named(value)])
            else:
                self._gathering.add_text(image, named(value))

    def _add_wide(self, part: Frame, ids: list[str]) -> None:
        rows = np.fromiter((self._images.setdefault(one, len(self._images)) for one in ids), np.int64, len(ids))
        if "" in self._images:
            raise FileFormatError("the cell of the image is empty; every row needs an image")
        for j, name in enumerate(self._labels):
            try:
                has = self._has_label(part.column(name))
            except FileFormatError as error:
                raise FileFormatError(f"the column {name!r:.80} {error}") from error
            found = rows[has]
            self._image_codes.frombytes(found.tobytes())
            self._label_codes.extend([j] * len(found))

    def _has_label(self, values: np.ndarray) -> np.ndarray:
        if values.dtype.kind in "biuf" and self._options.threshold is None and _are_flags(values):
            self._truths.learn(["0"] if (values == 0).any() else [])
            return np.asarray(values == 1)
        if values.dtype.kind in "biuf":
            distinct, codes = np.unique(values, return_inverse=True)
            texts = ["" if one != one else str(one.item()) for one in distinct]
        else:
            texts = ["" if _is_missing(value) else str(value) for value in values.tolist()]
            codes = np.arange(len(texts))
        self._truths.learn(texts)
        return np.array([self._truths.is_true(text) for text in texts], dtype=bool)[codes]

    def annotation_set(self) -> AnnotationSet:
        """Return the set of all parts. Rows without names are numbered."""
        if not self.is_wide:
            data = self._gathering.annotation_set()
            ids = None if self._is_numbered else data.image_ids
            return AnnotationSet(data.indptr, data.indices, data.n_labels, ids, data.label_names)
        self._truths.check_all()
        if len(self._images) < self._n_rows:
            raise FileFormatError(f"{self._n_rows - len(self._images):,} row(s) repeat an image of another row")
        indptr, indices = pairs_to_csr(
            np.frombuffer(self._image_codes, np.int64),
            np.frombuffer(self._label_codes, np.int64),
            len(self._images),
            len(self._labels),
        )
        return AnnotationSet(
            indptr, indices, len(self._labels), None if self._is_numbered else self._images, self._labels
        )


def _way_out(names: Sequence[str], lists: Sequence[str], label: str | None) -> str:
    """Return the error message for a table that is ambiguous or cannot be read."""
    shown = ", ".join(names)
    if label is not None:
        return (
            f"a table with the columns {shown:.200} has labels in {label!r}, but no column of images; name one "
            "with image_column"
        )
    ids = next((name for name in names if name not in lists), None)
    if lists:
        others = f", table[{ids!r}]" if ids else ""
        way = f"AnnotationSet.from_lists(table[{lists[0]!r}]{others}) reads a column of lists of labels"
    else:
        way = (
            f"AnnotationSet.from_pairs(table[{names[0]!r}], table[{names[-1]!r}]) reads a column of images and one of "
            "labels, AnnotationSet.from_csr(table.to_numpy(), table.index, table.columns) a matrix of counts"
            if names
            else "it has no columns"
        )
    return (
        f"a table with the columns {shown:.200} has neither a label column with a usual name nor only columns of "
        f"zeros and ones; name the columns with image_column and label_column in load_dataset; {way}"
    )
