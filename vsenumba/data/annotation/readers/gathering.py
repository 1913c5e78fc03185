"""Collect images and labels from records into a set, with the necessary warnings."""

from __future__ import annotations

import warnings
from array import array
from collections.abc import Iterable

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.pairs import pairs_to_csr
from vsenumba.data.annotation.readers.cells import check_divided, check_whole, divider
from vsenumba.data.names import plain
from vsenumba.errors import FileFormatError, InputError


class Gathering:
    """Collect the labels of images, record by record. Apart from the distinct names, a pair takes 16 bytes.

    Parameters
    ----------
    column : str
        The column or key of the labels, for messages.
    separator : str or None
        The separator between the labels of a text. See `TableOptions`.

    Attributes
    ----------
    column : str
        The column or key. You can set it later, once it is known.
    n_records, n_empty : int
        The number of records, and the number of records without labels.

    Examples
    --------
    >>> gathering = Gathering("tags", separator=",")
    >>> gathering.add("a.jpg", ["cat", "animal"])
    >>> gathering.add_text("b.jpg", "oak, tree")
    >>> gathering.annotation_set()
    <AnnotationSet: 2 images, 4 labels, 4 pairs>
    """

    def __init__(self, column: str, separator: str | None = None) -> None:
        self.column = column
        self._separator = separator
        self._divide = None if separator is None else divider(separator)
        self._images: dict[str, int] = {}
        self._labels: dict[str, int] = {}
        self._image_codes, self._label_codes = array("q"), array("q")
        # The labels that are whole texts, each of which could be a list.
        self._text_codes = array("q")
        self._n_lists = self._n_texts = self._n_divided = 0
        self.n_records = 0
        self.n_empty = 0

    @property
    def n_labels(self) -> int:
        """The number of distinct labels so far."""
        return len(self._labels)

    def _row(self, image: str) -> int:
        image = plain(image)
        if not image:
            raise FileFormatError("the image is empty; every record needs an image")
        self.n_records += 1
        return self._images.setdefault(image, len(self._images))

    def add(self, image: str, labels: Iterable[str]) -> None:
        """Add an image with a list of labels.

        Raises
        ------
        FileFormatError
            If the image is empty.
        """
        row, n_before = self._row(image), len(self._label_codes)
        self._append(row, labels)
        self._n_lists += 1
        self.n_empty += len(self._label_codes) == n_before

    def add_text(self, image: str, text: str) -> None:
        """Add an image with a text that has one label, or several labels with separators."""
        row, text = self._row(image), plain(text)
        self.n_empty += not text
        if not text:
            return
        self._n_texts += 1
        n_before = len(self._label_codes)
        self._append(row, [text] if self._divide is None else self._divide(text))
        if self._divide is None:
            self._text_codes.append(self._label_codes[-1])
        self._n_divided += len(self._label_codes) - n_before

    def _append(self, row: int, labels: Iterable[str]) -> None:
        for label in filter(None, map(plain, labels)):
            self._image_codes.append(row)
            self._label_codes.append(self._labels.setdefault(label, len(self._labels)))

    def annotation_set(self, *, says_empty: bool = True) -> AnnotationSet:
        """Return the set of all records.

        Parameters
        ----------
        says_empty : bool
            Whether to warn about images without labels. Formats in which they are usual need no warning.

        Raises
        ------
        FileFormatError
            If there are no labels, or most texts look like lists and no separator was given.

        Warns
        -----
        UserWarning
            If some texts look like lists (see `check_whole`), or records have no labels.
        """
        if not self._label_codes:
            what = f"no label in {self.n_records:,} record(s)" if self.n_records else "no records"
            raise FileFormatError(f"{what}; labels are expected in {self.column!r}")
        for name in (*self._images, *self._labels):
            if "\0" in name:
                raise FileFormatError(f"{name!r:.80} contains a NUL character, which is not allowed in a name")
        if self._separator is not None and self._n_texts + self._n_lists:
            check_divided(self.column, self._separator, self._n_texts, self._n_divided)
        elif self._text_codes:
            counts = np.bincount(np.frombuffer(self._text_codes, np.int64), minlength=len(self._labels))
            one_row_an_image = not self._n_lists and len(self._images) == self.n_records
            check_whole(self.column, self._labels, counts, one_row_an_image=one_row_an_image)
        if self.n_empty and says_empty:
            warnings.warn(
                f"{self.n_empty:,} record(s) have no label: their images are kept without labels",
                UserWarning,
                stacklevel=2,
            )
        n_images, n_labels = len(self._images), len(self._labels)
        indptr, indices = pairs_to_csr(
            np.frombuffer(self._image_codes, np.int64), np.frombuffer(self._label_codes, np.int64), n_images, n_labels
        )
        try:
            return AnnotationSet(indptr, indices, n_labels, self._images, self._labels)
        except InputError as error:  # a JSON escape can be half of a surrogate pair
            raise FileFormatError(str(error)) from error
