"""Ragged rows: one or more rows of numbers for each item, such as the regions of an image or the tokens of a text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from vsenumba import storage
from vsenumba.checks import as_array, whole_numbers
from vsenumba.data.digests import add_array
from vsenumba.errors import InputError


class Ragged:
    """Items with one or more rows each. All rows have the same number of columns.

    Parameters
    ----------
    tables : sequence of (N, d) float32 or float16 arrays
        The rows. They may be memory maps, of which only the rows in use are read.
    table_of, starts, stops : (n,) int64 arrays
        Item i is ``tables[table_of[i]][starts[i]:stops[i]]``.
    kind : str
        The kind of item, for error messages: ``"image"`` or ``"caption"``.

    Examples
    --------
    >>> rows = Ragged.of([np.ones((2, 3)), np.full((1, 3), 2)], "image")
    >>> rows
    <2 images of 1 to 2 rows of 3 numbers>
    >>> values, offsets = rows.take([1, 0])
    >>> offsets.tolist(), values[:, 0].tolist()
    ([0, 1, 3], [2.0, 1.0, 1.0])
    """

    def __init__(
        self, tables: Sequence[np.ndarray], table_of: np.ndarray, starts: np.ndarray, stops: np.ndarray, kind: str
    ) -> None:
        self.tables = tuple(tables)
        self.table_of = np.asarray(table_of, np.int64)
        self.starts = np.asarray(starts, np.int64)
        self.stops = np.asarray(stops, np.int64)
        self.kind = kind

    @classmethod
    def of(cls, rows: Any, kind: str) -> Ragged:
        """Make and check items from an array or a list of arrays.

        The array is (n, d), with one row per item, or (n, k, d). A list has one (n_i, d) array per item.

        Raises
        ------
        InputError
            If an item has no rows or only rows of zeros, rows have different numbers of columns, or a number is not
            finite.
        """
        if isinstance(rows, Ragged):
            return rows
        if isinstance(rows, np.ndarray) and rows.dtype != object:
            return cls._of_array(rows, kind)
        if not isinstance(rows, (Sequence, np.ndarray)):
            raise InputError(f"the rows of {kind}s must be an array or a list of arrays, not {type(rows).__name__}")
        items = [np.atleast_2d(as_array(f"the rows of {kind} {i}", one)) for i, one in enumerate(rows)]
        if not items:
            raise InputError(f"there is no {kind}")
        width = items[0].shape[-1]
        for i, one in enumerate(items):
            if one.ndim != 2 or one.shape[1] != width or not len(one):
                raise InputError(f"{kind} {i} must have one row or more of {width} numbers, not shape {one.shape}")
        lengths = [len(one) for one in items]
        return cls.of_rows(np.concatenate(items), np.concatenate(([0], np.cumsum(lengths))), kind)

    @classmethod
    def _of_array(cls, rows: np.ndarray, kind: str) -> Ragged:
        if rows.ndim not in (2, 3) or 0 in rows.shape:
            raise InputError(f"the rows of {kind}s must be (n, d) or (n, rows, d), not {rows.shape}")
        n_rows = 1 if rows.ndim == 2 else rows.shape[1]
        return cls.of_rows(rows.reshape(-1, rows.shape[-1]), np.arange(len(rows) + 1) * n_rows, kind)

    @classmethod
    def of_rows(cls, values: np.ndarray, offsets: np.ndarray, kind: str) -> Ragged:
        """Make and check items from all rows and the (n + 1,) offsets of the items. See `of`."""
        values = values if isinstance(values, np.ndarray) else as_array(f"the rows of {kind}s", values)
        offsets = whole_numbers(f"the offsets of {kind}s", offsets)
        if values.ndim != 2 or offsets.ndim != 1 or not len(offsets) or offsets[0] != 0 or offsets[-1] != len(values):
            raise InputError(f"the offsets of {kind}s must rise from 0 to the number of rows, {len(values):,}")
        empty = np.flatnonzero(np.diff(offsets) <= 0)
        if len(empty):
            raise InputError(f"{kind} {int(empty[0])} has no rows ({len(empty)} such {kind}(s))")
        if values.dtype not in (np.float16, np.float32):
            if values.dtype.kind not in "buif":
                raise InputError(f"the rows of {kind}s must be numbers, not {values.dtype}")
            with np.errstate(over="ignore"):
                values = values.astype(np.float32)
        done, filled = 0, np.empty(len(values), bool)
        for block in storage.blocks_of(values):
            bad = np.flatnonzero(~np.isfinite(block).all(axis=1))
            if len(bad):
                item = int(np.searchsorted(offsets, done + bad[0], side="right")) - 1
                raise InputError(f"{kind} {item} has NaN, inf or a number that is too large for float32")
            filled[done : done + len(block)] = block.any(axis=1)
            done += len(block)
        empty = np.flatnonzero(np.add.reduceat(filled, offsets[:-1], dtype=np.int64) == 0)
        if len(empty):
            raise InputError(f"{kind} {int(empty[0])} has only rows of zeros, like padding ({len(empty)} such)")
        return cls([values], np.zeros(len(offsets) - 1), offsets[:-1], offsets[1:], kind)

    @classmethod
    def join(cls, parts: Sequence[Ragged]) -> Ragged:
        """Return the concatenated items of several parts, without copying rows.

        Raises
        ------
        InputError
            If the parts have different numbers of columns.
        """
        widths = sorted({part.width for part in parts})
        if len(widths) > 1:
            raise InputError(f"rows of {parts[0].kind}s have {' and '.join(map(str, widths))} numbers; they must agree")
        first = np.cumsum([0, *(len(part.tables) for part in parts)])
        return cls(
            [table for part in parts for table in part.tables],
            np.concatenate([part.table_of + n for part, n in zip(parts, first[:-1], strict=True)]),
            np.concatenate([part.starts for part in parts]),
            np.concatenate([part.stops for part in parts]),
            parts[0].kind,
        )

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def width(self) -> int:
        """The number of columns."""
        return int(self.tables[0].shape[1])

    @property
    def lengths(self) -> np.ndarray:
        """The number of rows of each item, (n,) int64."""
        return self.stops - self.starts

    def select(self, items: np.ndarray) -> Ragged:
        """Return some of the items, in the given order, without copying rows."""
        return Ragged(self.tables, self.table_of[items], self.starts[items], self.stops[items], self.kind)

    def item(self, i: int) -> np.ndarray:
        """Return the rows of an item in their stored dtype."""
        return self.tables[self.table_of[i]][self.starts[i] : self.stops[i]]

    def take(self, items: Sequence[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of some items as float32, and the offsets of the items, (n + 1,) int64."""
        chosen = np.asarray(items, np.int64)
        offsets = np.concatenate(([0], np.cumsum(self.stops[chosen] - self.starts[chosen])))
        result = np.empty((offsets[-1], self.width), np.float32)
        for i, item in enumerate(chosen):
            result[offsets[i] : offsets[i + 1]] = self.item(item)
        return result, offsets

    def to_elements(self) -> dict[str, Any]:
        """Return the elements to write to a file: the rows, in blocks of limited size, and the offsets of the items."""
        dtype = "<f2" if all(table.dtype == np.float16 for table in self.tables) else "<f4"
        total = int(self.lengths.sum())
        return {
            "rows": storage.Stream(dtype, total, self._blocks(), self.width),
            "offsets": np.concatenate(([0], np.cumsum(self.lengths))),
        }

    def add_to(self, sha: Any) -> None:
        """Add the rows, converted to float32, and the number of rows of each item to a hash."""
        add_array(sha, np.array([self.width, *self.lengths]), "<i8")
        for block in self._blocks():
            sha.update(np.ascontiguousarray(block, "<f4").data)

    def _blocks(self) -> Iterator[np.ndarray]:
        for i in range(len(self)):
            yield self.item(i)
            if i % 1024 == 0:
                storage.release_pages(self.tables[self.table_of[i]])

    def __repr__(self) -> str:
        lengths = self.lengths
        return f"<{len(self):,} {self.kind}s of {lengths.min()} to {lengths.max()} rows of {self.width:,} numbers>"
