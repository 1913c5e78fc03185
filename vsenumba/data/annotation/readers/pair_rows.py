"""Collect rows of images and labels into a set: pairs, verified absences, and warnings about both.

Apart from the distinct names, a pair takes 8 bytes. Names are stored in dicts. In large tables, they move to hash
tables for compiled code.
"""

from __future__ import annotations

import warnings
from array import array
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vsenumba.data.annotation.absences import Absences
from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.readers.growing import longer
from vsenumba.data.vocabulary import NAME_DTYPE, Vocabulary
from vsenumba.kernels.row_states import ABSENT, LABEL, MACHINE, N_STATES, UNASKED, UNSURE

if TYPE_CHECKING:
    from vsenumba.data.annotation.readers.name_numbers import NameNumbers

# The number of rows to store together.
_BATCH = 1 << 16
# A pair is one number: the image's number, with the label's number in the lower bits.
_LABEL_BITS = 31
_LABEL_MASK = (1 << _LABEL_BITS) - 1


class PairRows:
    """Collect the rows of a table, one by one.

    Attributes
    ----------
    counts : list of int
        The number of rows in each state of `vsenumba.kernels.row_states`.
    n_empty : int
        The number of rows without a label.

    Examples
    --------
    >>> rows = PairRows()
    >>> rows.add("a.jpg", ["cat", "animal"], LABEL)
    >>> rows.add("a.jpg", ["dog"], ABSENT)
    >>> rows.annotation_set()
    <AnnotationSet: 1 images, 3 labels, 2 pairs, 1 verified absences>
    """

    def __init__(self) -> None:
        self.counts = [0] * N_STATES
        self.n_empty = 0
        self._images: dict[str, int] = {}
        self._labels: dict[str, int] = {}
        self._books: tuple[NameNumbers, NameNumbers] | None = None
        self._label_counts = np.zeros(0, np.int64)
        self._keys = {state: Numbers() for state in (LABEL, MACHINE, ABSENT)}
        self._begin_batch()

    def _begin_batch(self) -> None:
        # With `books`, a batch has names, and the position of the image for each label. Otherwise it has numbers.
        self._image_names: list[str] = []
        self._label_names: list[str] = []
        self._image_codes, self._label_codes, self._states = array("i"), array("i"), array("b")

    @property
    def n_rows(self) -> int:
        """The number of rows, without rows from sources that the options exclude."""
        return sum(self.counts[:UNASKED])

    @property
    def n_images(self) -> int:
        """The number of images."""
        self._end_batch()
        return len(self._images) if self._books is None else len(self._books[0])

    @property
    def n_labelled(self) -> int:
        """The number of labels that rows gave to images, counting repeats. A row can have several."""
        self._end_batch()
        return len(self._keys[LABEL]) + len(self._keys[MACHINE])

    def count(self, states: np.ndarray) -> None:
        """Count stored rows by their states."""
        found = np.bincount(states, minlength=N_STATES).tolist()
        self.counts = [one + more for one, more in zip(self.counts, found, strict=True)]

    def add(self, image: str, labels: Sequence[str], state: int) -> None:
        """Add a row with an image, its labels and their state."""
        self.counts[state] += 1
        if not labels and state in (LABEL, UNSURE, MACHINE):
            self.n_empty += 1
        if self._books is None:
            row = self._images.setdefault(image, len(self._images))
            for label in labels:
                self._image_codes.append(row)
                self._label_codes.append(self._labels.setdefault(label, len(self._labels)))
                self._states.append(state)
        else:
            row = len(self._image_names)
            self._image_names.append(image)
            for label in labels:
                self._image_codes.append(row)
                self._label_names.append(label)
                self._states.append(state)
        if len(self._states) >= _BATCH or len(self._image_names) >= _BATCH:
            self._end_batch()

    def _end_batch(self) -> None:
        if not self._states and not self._image_names:
            return
        rows = np.array(self._image_codes, np.int32)
        labels = np.array(self._label_codes, np.int32)
        states = np.array(self._states, np.uint8)
        if self._books is not None:
            rows = self._books[0].number(self._image_names)[rows]
            labels = self._books[1].number(self._label_names)
        n = len(self._labels) if self._books is None else len(self._books[1])
        found = np.bincount(labels[states != ABSENT], minlength=n)
        if self._books is None:
            longer(self._label_counts, n)
            self._label_counts[:n] += found
        else:
            self._books[1].counts[:] += found
        self._begin_batch()
        self.put_by(rows, labels, states)

    def put_by(self, rows: np.ndarray, labels: np.ndarray, states: np.ndarray) -> None:
        """Store pairs, given by image and label numbers. The caller counts the labels."""
        keys = (rows.astype(np.int64) << _LABEL_BITS) | labels
        for state, others in ((LABEL, (LABEL, UNSURE)), (MACHINE, (MACHINE,)), (ABSENT, (ABSENT,))):
            chosen = np.isin(states, others)
            if chosen.any():
                self._keys[state].add(keys if chosen.all() else keys[chosen])

    def books(self) -> tuple[NameNumbers, NameNumbers]:
        """Return the image and label numbers for compiled code. From then on, they replace the dicts."""
        self._end_batch()
        if self._books is None:
            # Imported here because it imports the compiler, which small tables do not need.
            from vsenumba.data.annotation.readers.name_numbers import NameNumbers

            self._books = NameNumbers(list(self._images)), NameNumbers(list(self._labels))
            self._books[1].counts[:] = self._label_counts[: len(self._labels)]
            self._images, self._labels = {}, {}
        return self._books

    def labels(self) -> tuple[Mapping[str, int], np.ndarray]:
        """Return the number of each label by its name, and how many rows say that an image has the label."""
        self._end_batch()
        if self._books is None:
            return self._labels, self._label_counts[: len(self._labels)]
        names = self._books[1].texts().tolist()
        return dict(zip(names, range(len(names)), strict=True)), self._books[1].counts

    def annotation_set(self) -> AnnotationSet:
        """Return the set. You can call this only once.

        Labels by people take precedence over labels by machines. If people say both that an image has a label and that
        it does not, the pair is skipped with a warning.
        """
        self._end_batch()
        label_names = list(self.labels()[0])
        n_images = self.n_images
        if self._books is not None:
            for book in self._books:
                book.forget_hashes()
        own, machine, absent = (distinct(self._keys.pop(state).taken()) for state in (LABEL, MACHINE, ABSENT))
        if len(absent):
            machine = machine[~_among(machine, absent)]
            disputed = absent[_among(absent, own)]
            if len(disputed):
                own, absent = own[~_among(own, disputed)], absent[~_among(absent, disputed)]
                warnings.warn(
                    f"skipped {len(disputed):,} pair(s): some rows say that the image has the label, "
                    "others that it does not",
                    UserWarning,
                    stacklevel=2,
                )
        if len(machine):
            own = machine if not len(own) else distinct(np.concatenate([own, machine]))
        indptr, indices = _structure(own, n_images)
        absences = Absences(*_structure(absent, n_images), len(label_names)) if len(absent) else None
        del own, machine, absent
        image_ids = np.array(list(self._images), NAME_DTYPE) if self._books is None else self._books[0].texts()
        names = Vocabulary.of_distinct(image_ids, "image"), Vocabulary(label_names, "label")
        return AnnotationSet(indptr, indices, len(label_names), *names)._with_absent(absences)


class Numbers:
    """An array of whole numbers that grows in place."""

    def __init__(self) -> None:
        self._values = np.zeros(0, np.int64)
        self._n = 0

    def __len__(self) -> int:
        return self._n

    def add(self, values: np.ndarray) -> None:
        """Append values."""
        longer(self._values, self._n + len(values))
        self._values[self._n : self._n + len(values)] = values
        self._n += len(values)

    def taken(self) -> np.ndarray:
        """Return all values, int64, and hand them over to the caller."""
        self._values.resize(self._n, refcheck=False)
        return self._values


def distinct(keys: np.ndarray) -> np.ndarray:
    """Return sorted, distinct numbers. This overwrites the array."""
    if not (keys[1:] > keys[:-1]).all():
        keys.sort()
        first = np.ones(len(keys), dtype=bool)
        np.not_equal(keys[1:], keys[:-1], out=first[1:])
        keys = keys if first.all() else keys[first]
    return keys


def _among(keys: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return a mask of the sorted numbers `keys` that are among the sorted numbers `others`."""
    if not len(others):
        return np.zeros(len(keys), dtype=bool)
    found: np.ndarray = others[np.minimum(np.searchsorted(others, keys), len(others) - 1)] == keys
    return found


def _structure(keys: np.ndarray, n_images: int) -> tuple[np.ndarray, np.ndarray]:
    """Return ``(indptr int64, indices int32)`` of sorted pairs."""
    indptr = np.searchsorted(keys, np.arange(n_images + 1, dtype=np.int64) << _LABEL_BITS)
    indices = np.empty(len(keys), np.int32)
    for start in range(0, len(keys), 1 << 22):
        indices[start : start + (1 << 22)] = keys[start : start + (1 << 22)] & _LABEL_MASK
    return indptr.astype(np.int64, copy=False), indices
