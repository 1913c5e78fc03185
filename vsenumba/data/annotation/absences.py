"""Verified absences: labels that people looked for in an image and did not find.

A pair of an image and a label has one of three states: present, verified absent, or unknown. Absences are stored like
pairs, as the structure of a CSR matrix, and never overlap with the pairs of a set. `AnnotationSet` imports this module,
so this module cannot import that class. Parameters annotated with `Any` below are annotation sets.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vsenumba.checks import whole_numbers
from vsenumba.data.annotation.pairs import (
    check_structure,
    gather_rows,
    merged,
    nonzero_pairs,
    pairs_to_csr,
    row_blocks,
)
from vsenumba.errors import InputError
from vsenumba.storage import schema

#: The schema of absences in files of sets and models.
ABSENT = schema.Elements(
    {
        "indptr": schema.Offsets("n_images", "n_absent"),
        "indices": schema.Array(schema.INDEX, ("n_absent",), least=0, below="n_labels"),
    },
    closed=True,
)


class Absences:
    """Verified absences of an annotation set. The set has the names of the images and labels.

    Parameters
    ----------
    indptr : (n_images + 1,) int64 array
        The start of each image's absent labels in `indices`.
    indices : (n_absent,) int32 array
        Label columns, strictly increasing within an image.
    n_labels : int
        Number of labels (columns).

    Examples
    --------
    >>> absent = Absences([0, 0, 2], [0, 1], 3)
    >>> absent
    <Absences: 2 images, 3 labels, 2 absences>
    >>> absent.columns_of(1)
    array([0, 1], dtype=int32)
    """

    def __init__(self, indptr: Any, indices: Any, n_labels: int) -> None:
        self._indptr = whole_numbers("the indptr of absences", indptr, np.int64)
        self._indices = whole_numbers("the indices of absences", indices, np.int32)
        self.n_labels = int(n_labels)
        check_structure(self._indptr, self._indices, (len(self._indptr) - 1, self.n_labels))

    @property
    def indptr(self) -> np.ndarray:
        """The start of each image's absent labels in `indices`, (n_images + 1,) int64, read-only."""
        return _read_only(self._indptr)

    @property
    def indices(self) -> np.ndarray:
        """The absent label columns of all images, (n_absent,) int32, read-only."""
        return _read_only(self._indices)

    @property
    def n_images(self) -> int:
        """The number of images (rows)."""
        return len(self._indptr) - 1

    @property
    def n_pairs(self) -> int:
        """The number of absences."""
        return len(self._indices)

    def __len__(self) -> int:
        return len(self._indices)

    def columns_of(self, row: int) -> np.ndarray:
        """Return the columns of the labels that are verified absent from one image, int32."""
        return self.indices[self._indptr[row] : self._indptr[row + 1]]

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the absences as two arrays: image rows (int64) and label columns (int32)."""
        return np.repeat(np.arange(self.n_images, dtype=np.int64), np.diff(self._indptr)), self.indices

    def select(self, rows: np.ndarray) -> Absences:
        """Return the absences of some images, given by their rows."""
        return Absences(*gather_rows(self._indptr, self._indices, rows, self.n_labels), self.n_labels)

    def reindex(self, rows: np.ndarray) -> Absences:
        """Return the absences of some images. A row of -1 has none."""
        indptr, indices = gather_rows(self._indptr, self._indices, rows[rows >= 0], self.n_labels)
        counts = np.zeros(len(rows), dtype=np.int64)
        counts[rows >= 0] = np.diff(indptr)
        return Absences(np.concatenate(([0], np.cumsum(counts))), indices, self.n_labels)

    def with_columns(self, columns: np.ndarray, n_labels: int) -> Absences:
        """Return the absences with label j moved to column ``columns[j]``, or dropped if that column is invalid."""
        if np.array_equal(columns, np.arange(self.n_labels)):
            return Absences(self._indptr, self._indices, n_labels)
        rows, labels = self.pairs()
        moved = columns[labels]
        stays = (moved >= 0) & (moved < n_labels)
        return Absences(*pairs_to_csr(rows[stays], moved[stays], self.n_images, n_labels), n_labels)

    def union(self, other: Absences) -> Absences:
        """Return the union of two sets of absences, which must have the same images and labels."""
        return Absences(
            *merged(self._indptr, self._indices, other._indptr, other._indices, self.n_labels), self.n_labels
        )

    def without(self, indptr: np.ndarray, indices: np.ndarray) -> Absences:
        """Return the absences without some pairs, given as the structure of a CSR matrix."""
        among = self._among(indptr, indices)
        if not among.any():
            return self
        counts = np.add.reduceat(np.append(~among, False), self._indptr[:-1], dtype=np.int64)
        counts[np.diff(self._indptr) == 0] = 0
        return Absences(np.concatenate(([0], np.cumsum(counts))), self._indices[~among], self.n_labels)

    def _among(self, indptr: np.ndarray, indices: np.ndarray) -> np.ndarray:
        """Return a mask of the absences that are among some pairs, (n_absent,) bool."""
        found = np.zeros(self.n_pairs, dtype=bool)
        for start, stop in row_blocks(self._indptr + indptr):
            mine, theirs = (
                _keys(p, i, start, stop, self.n_labels) for p, i in ((self._indptr, self._indices), (indptr, indices))
            )
            if len(theirs):
                at = np.minimum(np.searchsorted(theirs, mine), len(theirs) - 1)
                found[self._indptr[start] : self._indptr[stop]] = theirs[at] == mine
        return found

    def to_elements(self) -> dict[str, np.ndarray]:
        """Return the elements to write to a file."""
        return {"indptr": self.indptr, "indices": self.indices}

    def __repr__(self) -> str:
        return f"<Absences: {self.n_images:,} images, {self.n_labels:,} labels, {self.n_pairs:,} absences>"


def checked_absences(absent: Any, data: Any) -> Absences | None:
    """Return the verified absences given for a set as `Absences`, or None if there are none.

    Parameters
    ----------
    absent : Absences, AnnotationSet, or matrix of images by labels
        The absences. An annotation set must have the same names as `data`. In a matrix, every non-zero is an absence.
    data : AnnotationSet
        The set that the absences belong to.

    Raises
    ------
    InputError
        If the absences do not fit the set, or one of them is also a pair of the set. The message names the first such
        pair.
    """
    if isinstance(absent, Absences):
        found = absent
    elif isinstance(absent, type(data)):
        if absent.image_ids != data.image_ids or absent.label_names != data.label_names:
            raise InputError("absent has different images or labels; it must have the same names in the same order")
        found = Absences(absent.indptr, absent.indices, absent.n_labels)
    else:
        rows, columns, shape = nonzero_pairs(absent)
        found = Absences(*pairs_to_csr(rows, columns, *shape), shape[1])
    if (found.n_images, found.n_labels) != data.shape:
        raise InputError(f"absent has the shape {(found.n_images, found.n_labels)}, but the data set has {data.shape}")
    among = np.flatnonzero(found._among(data.indptr, data.indices))
    if len(among):
        row = int(np.searchsorted(found.indptr, among[0], side="right")) - 1
        raise InputError(
            f"image {data.image_ids[row]!r} has the label {data.label_names[int(found.indices[among[0]])]!r}, which is "
            f"also among its verified absences ({len(among):,} such pair(s)); remove it from one of the two"
        )
    return found if found.n_pairs else None


def joined_absences(mine: Any, other: Any, both: Any) -> Absences | None:
    """Return the absences of `both`, the union of two sets. A pair that either set has is not an absence."""
    parts = [
        one.absent.reindex(np.arange(both.n_images) if one.n_images == both.n_images else _padded(one, both))
        .with_columns(np.arange(one.n_labels), both.n_labels)
        for one in (mine, other)
        if one.absent is not None
    ]  # fmt: skip
    if not parts:
        return None
    found = parts[0] if len(parts) == 1 else parts[0].union(parts[1])
    return found.without(both.indptr, both.indices)


def left_out_absences(test: Any, known: Any) -> Absences | None:
    """Return the absences that rankings leave out: those of a test set and of the known labels of its images.

    They do not include any test label.
    """
    parts = [one.absent for one in (test, known) if one is not None and one.absent is not None]
    if not parts:
        return None
    found = parts[0] if len(parts) == 1 or parts[0] is parts[1] else parts[0].union(parts[1])
    return found.without(test.indptr, test.indices)


def _padded(one: Any, both: Any) -> np.ndarray:
    rows = np.arange(both.n_images)
    rows[one.n_images :] = -1
    return rows


def _keys(indptr: np.ndarray, indices: np.ndarray, start: int, stop: int, n_labels: int) -> np.ndarray:
    rows = np.repeat(np.arange(stop - start, dtype=np.int64), np.diff(indptr[start : stop + 1]))
    return rows * n_labels + indices[indptr[start] : indptr[stop]]


def _read_only(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view
