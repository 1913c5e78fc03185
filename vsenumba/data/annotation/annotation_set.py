"""An annotation set: which images have which labels.

Rows are always images and columns are always labels. The pairs are stored as the structure of a CSR matrix: the labels
of image ``i`` are ``indices[indptr[i]:indptr[i + 1]]``, sorted and without repeats.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Set
from functools import cached_property
from os import PathLike
from typing import Any

import numpy as np
import scipy.sparse as sp

from vsenumba import storage
from vsenumba.checks import is_whole, refuse_masked, whole_numbers
from vsenumba.data.annotation.absences import ABSENT, Absences, checked_absences, joined_absences
from vsenumba.data.annotation.features import (
    FeatureElement,
    checked_features,
    features_to_element,
    joined_features,
    selected_features,
)
from vsenumba.data.annotation.pairs import (
    check_structure,
    column_counts,
    gather_rows,
    merged,
    nonzero_pairs,
    pairs_to_csr,
)
from vsenumba.data.backbone_id import BACKBONE, BackboneId, as_backbone_id
from vsenumba.data.digests import add_array, add_texts
from vsenumba.data.names import as_name, check_ordered
from vsenumba.data.overviews import annotation_set_html
from vsenumba.data.vocabulary import NAME_DTYPE, Vocabulary, as_names, as_texts
from vsenumba.errors import InputError
from vsenumba.storage import schema

# The schema of pairs and names in files of sets and models.
PAIRS: dict[str, schema.Spec] = {
    "image_ids": schema.Names("n_images"),
    "label_names": schema.Names("n_labels"),
    "indices": schema.Array(schema.INDEX, ("n_pairs",), least=0, below="n_labels"),
    "indptr": schema.Offsets("n_images", "n_pairs"),
    "absent": schema.Optional(ABSENT),
}
ANNOTATION_SET = schema.Elements(
    PAIRS
    | {
        "features": schema.Optional(FeatureElement()),
        "backbone": schema.Optional(BACKBONE),
        "titles": schema.Optional(schema.Texts("n_images")),
    }
)


class AnnotationSet:
    """Images, labels, and the pairs of an image and one of its labels.

    Make a set with `from_pairs`, `from_lists` or `from_csr`, or read one with `load_dataset`.

    Parameters
    ----------
    indptr : (n_images + 1,) int64 array
        The start of each image's labels in `indices`.
    indices : (n_pairs,) int32 array
        Label columns, strictly increasing within an image. If `indptr` or `indices` already has the right dtype, it is
        not copied, so do not change the array afterwards.
    n_labels : int
        The number of labels (columns).
    image_ids : Vocabulary or iterable of str, optional
        One id per image. The default is ``"0", "1", ...``.
    label_names : Vocabulary or iterable of str, optional
        One name per label. The default is ``"0", "1", ...``.
    features : (n_images, n_features) array, memory map, HDF5 dataset or sparse array, optional
        A feature vector per image, of finite numbers. uint8, float16 and float32 are kept; other types become float32.
        Memory maps and HDF5 datasets stay on disk, and sparse arrays become CSR.
    titles : sequence of str, optional
        A line of text about each image, for people to read. It may be empty.
    backbone : BackboneId or str, optional
        The backbone that computed the features.
    absent : Absences, AnnotationSet or (n_images, n_labels) matrix, optional
        Verified absences: labels that people looked for in an image and did not find. They must not overlap with the
        pairs of the set. Training uses them as negatives, and rankings leave them out. An annotation set must have the
        same names; in a matrix, every non-zero is an absence.

    Attributes
    ----------
    shape : tuple of int
        ``(n_images, n_labels)``.
    n_images, n_labels, n_pairs : int
        The three counts.
    indptr, indices : array
        The pairs, read-only. A set never changes: methods return new sets.

    Examples
    --------
    >>> data = AnnotationSet.from_pairs(["a", "a", "b"], ["cat", "animal", "animal"])
    >>> data
    <AnnotationSet: 2 images, 2 labels, 3 pairs>
    >>> data.labels_of("a")
    ['cat', 'animal']
    """

    def __init__(
        self,
        indptr: np.ndarray,
        indices: np.ndarray,
        n_labels: int,
        image_ids: Vocabulary | Iterable[Any] | None = None,
        label_names: Vocabulary | Iterable[Any] | None = None,
        features: np.ndarray | None = None,
        titles: Iterable[str] | None = None,
        *,
        backbone: BackboneId | str | None = None,
        absent: Any = None,
    ) -> None:
        if not is_whole(n_labels, 0):
            raise InputError(f"n_labels must be a whole number of at least 0, not {n_labels!r}")
        self._indptr = _read_only(whole_numbers("indptr", indptr, np.int64))
        self._indices = _read_only(whole_numbers("indices", indices, np.int32))
        self._n_labels = int(n_labels)
        check_structure(self.indptr, self.indices, self.shape)
        self.image_ids = _vocabulary(image_ids, "image", self.shape)
        self.label_names = _vocabulary(label_names, "label", self.shape)
        self.features = None if features is None else checked_features(features, self.n_images)
        self.backbone = None if backbone is None else as_backbone_id(backbone)
        self.titles = None if titles is None else _checked_titles(titles, self.n_images)
        self.absent = None if absent is None else checked_absences(absent, self)

    @classmethod
    def from_pairs(cls, images: Iterable[Any], labels: Iterable[Any]) -> AnnotationSet:
        """Make a set from two sequences of the same length: an image id and a label name per pair.

        A pair that appears twice counts once. Images and labels keep the order in which they first appear.

        Parameters
        ----------
        images, labels : iterable of str
            Image ids and label names. A whole number becomes its decimal text. Names that differ only in Unicode form
            or surrounding whitespace are the same; see `Vocabulary`.

        Raises
        ------
        InputError
            If the lengths differ; an id or a name is missing, empty or not text; or `images` or `labels` is a set,
            which has no order.
        """
        for given, what in ((images, "images"), (labels, "labels")):
            check_ordered(given, what)
        image_names, rows = _first_seen(as_names(images, "image"))
        label_names, columns = _first_seen(as_names(labels, "label"))
        if len(rows) != len(columns):
            raise InputError(f"images and labels must have the same length, not {len(rows)} and {len(columns)}")
        indptr, indices = pairs_to_csr(rows, columns, len(image_names), len(label_names))
        return cls(indptr, indices, len(label_names), image_names, label_names)

    @classmethod
    def from_lists(cls, lists: Iterable[Iterable[Any]], image_ids: Iterable[Any] | None = None) -> AnnotationSet:
        """Make a set from one collection of label names per image. A collection may be empty.

        Parameters
        ----------
        lists : iterable of iterable of str
            The labels of each image. A whole number becomes its decimal text. Labels are numbered in order of first
            use. If an image's labels are a Python set, they are sorted first.
        image_ids : iterable of str, optional
            The ids of the images. The default is ``"0", "1", ...``.

        Raises
        ------
        InputError
            If an image's labels are a single text, or a name is missing, empty or not text.
        """
        if isinstance(lists, (str, bytes, Mapping, Set)):
            raise InputError(
                f"lists must be one list of labels for each image, not a {type(lists).__name__}"
                + ("; pass its values(), and its keys as image_ids" if isinstance(lists, Mapping) else "")
            )
        in_order: list[list[Any]] = []
        for i, one in enumerate(lists):
            if isinstance(one, (str, bytes, Mapping)) or not isinstance(one, Iterable):
                raise InputError(f"image {i} has {one!r:.60} where a list of label names is expected")
            in_order.append(
                sorted(one, key=lambda name: as_name(name, "a label")) if isinstance(one, Set) else list(one)
            )
        lengths = np.array([len(one) for one in in_order], dtype=np.int64)
        rows = np.repeat(np.arange(len(in_order), dtype=np.int64), lengths)
        label_names, columns = _first_seen(as_names((name for one in in_order for name in one), "label"))
        indptr, indices = pairs_to_csr(rows, columns, len(in_order), len(label_names))
        return cls(indptr, indices, len(label_names), image_ids, label_names)

    @classmethod
    def from_csr(
        cls,
        matrix: Any,
        image_ids: Iterable[Any] | None = None,
        label_names: Iterable[Any] | None = None,
        features: np.ndarray | None = None,
    ) -> AnnotationSet:
        """Make a set from a matrix with one row per image and one column per label. Non-zeros become pairs.

        Parameters
        ----------
        matrix : SciPy sparse matrix or array of any format, or a dense 2-d array
            Booleans, or non-negative whole numbers. Counts above one mean the same as one.
        image_ids, label_names : iterable of str, optional
            The names of the rows and the columns.
        features : (n_images, n_features) array, optional
            See `AnnotationSet`.

        Raises
        ------
        InputError
            If a value is NaN, infinite, negative or fractional, or the number of ids or names does not fit the shape.
        """
        rows, columns, shape = nonzero_pairs(matrix)
        indptr, indices = pairs_to_csr(rows, columns, *shape)
        return cls(indptr, indices, shape[1], image_ids, label_names, features)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        # Pickles and copies do not keep the read-only flag.
        for name in ("_indptr", "_indices", "label_counts"):
            if name in state:
                self.__dict__[name] = _read_only(state[name])

    @property
    def indptr(self) -> np.ndarray:
        """The start of each image's labels in `indices`, (n_images + 1,) int64, read-only."""
        return self._indptr

    @property
    def indices(self) -> np.ndarray:
        """The label columns of all images, (n_pairs,) int32, read-only."""
        return self._indices

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_images, n_labels)``."""
        return len(self._indptr) - 1, self._n_labels

    @property
    def n_images(self) -> int:
        """The number of images (rows)."""
        return len(self._indptr) - 1

    @property
    def n_labels(self) -> int:
        """The number of labels (columns)."""
        return self._n_labels

    @property
    def n_pairs(self) -> int:
        """The number of pairs of an image and one of its labels."""
        return len(self._indices)

    @property
    def n_features(self) -> int:
        """The length of the feature vectors, or 0 without features."""
        return 0 if self.features is None else int(self.features.shape[1])

    @cached_property
    def label_counts(self) -> np.ndarray:
        """Number of images each label has, (n_labels,) int64, read-only."""
        return _read_only(column_counts(self.indices, self.n_labels))

    @property
    def labels_per_image(self) -> np.ndarray:
        """Number of labels each image has, (n_images,) int64."""
        return np.diff(self.indptr)

    def labels_of(self, image: str) -> list[str]:
        """Return the names of an image's labels."""
        (row,) = self.image_ids.index([image])
        return [self.label_names[j] for j in self.indices[self.indptr[row] : self.indptr[row + 1]]]

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the pairs as two arrays: image rows (int64) and label columns (int32)."""
        return np.repeat(np.arange(self.n_images, dtype=np.int64), self.labels_per_image), self.indices

    def to_csr(self) -> sp.csr_array:
        """Return the pairs as a SciPy CSR array of float32 ones, which you may change."""
        check_structure(self.indptr, self.indices, self.shape)
        ones = np.ones(self.n_pairs, np.float32)
        return sp.csr_array((ones, self.indices.copy(), self.indptr.copy()), shape=self.shape)

    def rows_to_csr(self, rows: np.ndarray) -> sp.csr_array:
        """Return the pairs of some images, given by their rows, as a SciPy CSR array of float32 ones."""
        indptr, indices = gather_rows(self.indptr, self.indices, rows, self.n_labels)
        return sp.csr_array((np.ones(len(indices), np.float32), indices, indptr), shape=(len(rows), self.n_labels))

    def __len__(self) -> int:
        return self.n_images

    def __getitem__(self, rows: Any) -> AnnotationSet:
        """Return a set of some images, given by a slice, row numbers or a mask, as in scikit-learn's splitters."""
        if isinstance(rows, tuple) and rows[1:] == (Ellipsis,):
            rows = rows[0]
        if not isinstance(rows, (slice, list, np.ndarray)):
            raise TypeError(f"a set is indexed by a slice, row numbers or a mask, not by {rows!r}")
        return self.select_images(rows)

    def with_pairs(self, keep: np.ndarray) -> AnnotationSet:
        """Return a set with the same images and labels, and only the pairs where the mask `keep` is true.

        Raises
        ------
        InputError
            If `keep` is not a mask of the pairs.
        """
        keep = _as_mask("keep", keep, self.n_pairs)
        counts = np.add.reduceat(np.append(keep, False), self.indptr[:-1], dtype=np.int64)
        counts[self.labels_per_image == 0] = 0
        indptr = np.concatenate(([0], np.cumsum(counts)))
        return self._with(indptr, self.indices[keep], self.label_names)

    def select_images(self, rows: Any) -> AnnotationSet:
        """Return a set of the given rows, in the given order, with all label columns.

        Raises
        ------
        InputError
            If `rows` is neither row numbers nor a mask of the images, or names an image twice.
        """
        rows = self._as_rows(rows)
        indptr, indices = gather_rows(self.indptr, self.indices, rows, self.n_labels)
        return AnnotationSet(
            indptr,
            indices,
            self.n_labels,
            Vocabulary(self.image_ids.take(rows), "image"),
            self.label_names,
            selected_features(self.features, rows),
            None if self.titles is None else self.titles[rows],
            backbone=self.backbone,
            absent=None if self.absent is None else self.absent.select(rows),
        )

    def _as_rows(self, rows: Any) -> np.ndarray:
        """Return row numbers, and raise an error if `rows` does not select images of this set."""
        refuse_masked("rows", rows)
        try:
            found = np.arange(self.n_images)[rows]
        except (IndexError, TypeError, ValueError) as error:
            raise InputError(f"rows must choose from {self.n_images:,} images by numbers or a mask: {error}") from error
        if found.ndim != 1:
            raise InputError(f"rows must be one-dimensional, not {np.asarray(rows).shape}; give [row] for one image")
        return found

    def with_columns(self, columns: np.ndarray, label_names: Vocabulary) -> AnnotationSet:
        """Return the set with label j moved to column ``columns[j]`` of another vocabulary.

        An entry of -1 means that a label has no column there. Its verified absences are dropped.

        Raises
        ------
        InputError
            If `columns` does not have one entry per label, or a label that an image has gets no valid column.
        """
        indptr, indices = self.indptr, self.indices
        columns = whole_numbers("columns", columns, np.int64)
        if len(columns) != self.n_labels:
            raise InputError(f"columns must be one per label ({self.n_labels:,}), not {len(columns):,}")
        if not np.array_equal(columns, np.arange(self.n_labels)):
            rows, labels = self.pairs()
            moved = columns[labels]
            if len(moved) and not 0 <= moved.min() <= moved.max() < len(label_names):
                raise InputError(
                    f"columns must lie in 0..{len(label_names) - 1}, the columns of label_names, wherever a label has "
                    f"an image; found {moved.min()}..{moved.max()}"
                )
            indptr, indices = pairs_to_csr(rows, moved, self.n_images, len(label_names))
        other = self._with(indptr, indices, label_names)
        return other._with_absent(self.absent and self.absent.with_columns(columns, len(label_names)))

    def with_features(self, features: Any, backbone: BackboneId | str | None = None) -> AnnotationSet:
        """Return the set with different features, or with none.

        Parameters
        ----------
        features : (n_images, n_features) array, memory map, HDF5 dataset, sparse array or None
            See `AnnotationSet`.
        backbone : BackboneId or str, optional
            The backbone that computed the features.

        Examples
        --------
        >>> data = AnnotationSet.from_lists([["cat"], ["dog"]])
        >>> data.with_features([[0.5, 1.0], [2.0, 0.0]])
        <AnnotationSet: 2 images, 2 labels, 2 pairs, 2 features>
        """
        other = self._with(self.indptr, self.indices, self.label_names, with_features=False)
        other.features = None if features is None else checked_features(features, self.n_images)
        other.backbone = None if backbone is None else as_backbone_id(backbone)
        return other

    def with_features_of(self, other: AnnotationSet) -> AnnotationSet:
        """Return the set with the features of another set that has the same images in the same order."""
        mine = self._with(self.indptr, self.indices, self.label_names, with_features=False)
        mine.features, mine.backbone = other.features, other.backbone
        return mine

    def with_absent(self, absent: Any) -> AnnotationSet:
        """Return the set with different verified absences, or with none. See `AnnotationSet`."""
        found = None if absent is None else checked_absences(absent, self)
        return self._with(self.indptr, self.indices, self.label_names)._with_absent(found)

    def _with_absent(self, absent: Absences | None) -> AnnotationSet:
        """Store absences that are already checked, and return the set itself."""
        self.absent = absent or None
        return self

    def _with(
        self, indptr: np.ndarray, indices: np.ndarray, label_names: Vocabulary, *, with_features: bool = True
    ) -> AnnotationSet:
        """Return a set with the same images and different pairs."""
        other = AnnotationSet(indptr, indices, len(label_names), self.image_ids, label_names, titles=self.titles)
        if with_features:  # assign directly: checking them again would take a pass over them
            other.features, other.backbone = self.features, self.backbone
        return other._with_absent(self.absent)

    def reindex_images(self, image_ids: Vocabulary) -> AnnotationSet:
        """Return a set of the images with the given ids, in the given order. An unknown id has no labels.

        Features are kept if all of these images have them.
        """
        if image_ids == self.image_ids:
            same = AnnotationSet(self.indptr, self.indices, self.n_labels, image_ids, self.label_names)
            same.features, same.backbone = self.features, self.backbone
            return same._with_absent(self.absent)
        found = self.image_ids.find(image_ids)
        offsets, indices = gather_rows(self.indptr, self.indices, found[found >= 0], self.n_labels)
        counts = np.zeros(len(found), dtype=np.int64)
        counts[found >= 0] = np.diff(offsets)
        indptr = np.concatenate(([0], np.cumsum(counts)))
        other = AnnotationSet(indptr, indices, self.n_labels, image_ids, self.label_names)
        if self.features is not None and len(found) and found.min() >= 0:
            other.features, other.backbone = selected_features(self.features, found), self.backbone
        return other._with_absent(self.absent and self.absent.reindex(found))

    def union(self, other: AnnotationSet) -> AnnotationSet:
        """Return a set with the pairs of both sets. Images and labels that only `other` has come last.

        Features are kept if both sets have features with the same number of columns and the same backbone. Titles are
        dropped. A verified absence is dropped if either set has the pair.
        """
        vocabularies, codes = [], []
        for mine, theirs in ((self.image_ids, other.image_ids), (self.label_names, other.label_names)):
            if mine is theirs or mine == theirs:
                vocabularies.append(mine)
                codes.append(np.arange(len(mine)))
                continue
            found = mine.find(theirs)
            new = found < 0
            found[new] = len(mine) + np.arange(new.sum())
            names = np.concatenate([mine.names, theirs.take(np.flatnonzero(new))])
            vocabularies.append(Vocabulary(names, mine.kind))
            codes.append(found)
        image_ids, label_names = vocabularies
        moved = other.with_columns(codes[1], label_names).reindex_images(image_ids)
        indptr = np.append(self.indptr, np.full(len(image_ids) - self.n_images, self.n_pairs))
        indptr, indices = merged(indptr, self.indices, moved.indptr, moved.indices, len(label_names))
        both = AnnotationSet(indptr, indices, len(label_names), image_ids, label_names)
        if self.features is not None and other.features is not None and self.backbone == other.backbone:
            more = selected_features(other.features, np.flatnonzero(codes[0] >= self.n_images))
            both.features = joined_features(self.features, more)
            both.backbone = None if both.features is None else self.backbone
        return both._with_absent(joined_absences(self, moved, both))

    def digest(self) -> str:
        """Return a SHA-256 of the pairs and the names, to record which data a result came from."""
        sha = hashlib.sha256()
        add_array(sha, self.indptr, "<i8")
        add_array(sha, self.indices, "<i4")
        for vocabulary in (self.image_ids, self.label_names):
            add_texts(sha, vocabulary)
        if self.absent is not None:
            add_array(sha, self.absent.indptr, "<i8")
            add_array(sha, self.absent.indices, "<i4")
        return sha.hexdigest()

    def save(self, path: str | PathLike[str]) -> None:
        """Write the set to a native ``.h5`` file; see ``docs/reference/file-format.md``."""
        storage.write_file(path, "annotation-set", self.to_elements())

    def to_elements(self) -> dict[str, Any]:
        """Return what `save` writes: a mapping from element names to arrays."""
        elements = {
            "indptr": self.indptr,
            "indices": self.indices,
            "image_ids": self.image_ids.to_element(),
            "label_names": self.label_names.to_element(),
        }
        backbone = None if self.backbone is None else storage.Json(self.backbone._asdict())
        absent = None if self.absent is None else self.absent.to_elements()
        features = features_to_element(self.features)
        optional = {"features": features, "backbone": backbone, "titles": self.titles, "absent": absent}
        return elements | {name: array for name, array in optional.items() if array is not None}

    @classmethod
    def from_elements(cls, elements: Mapping[str, Any]) -> AnnotationSet:
        """Make a set from what `to_elements` returned.

        Raises
        ------
        InputError
            If an element is missing, or does not match the others.
        """
        schema.check(ANNOTATION_SET, elements)
        label_names = Vocabulary.from_element(elements["label_names"], "label")
        data = cls(
            elements["indptr"],
            elements["indices"],
            len(label_names),
            Vocabulary.from_element(elements["image_ids"], "image"),
            label_names,
            titles=elements.get("titles"),
            backbone=BackboneId(**elements["backbone"]) if "backbone" in elements else None,
            absent=Absences(**elements["absent"], n_labels=len(label_names)) if "absent" in elements else None,
        )
        data.features = elements.get("features")  # the schema has already checked every value
        return data

    def __repr__(self) -> str:
        extra = f", {self.features.shape[1]} features" if self.features is not None else ""
        counts = f"{self.n_images:,} images, {self.n_labels:,} labels, {self.n_pairs:,} pairs"
        extra += f", {self.absent.n_pairs:,} verified absences" if self.absent is not None else ""
        return f"<AnnotationSet: {counts}{extra}>"

    def _repr_html_(self) -> str:
        return annotation_set_html(self)


def _as_label(name: Any) -> str:
    return as_name(name, "a label")


def _first_seen(names: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct names in order of first appearance, and the position of each name in them."""
    position: dict[str, int] = {}
    codes = np.fromiter((position.setdefault(name, len(position)) for name in names), dtype=np.int64)
    return np.array(list(position), dtype=NAME_DTYPE), codes


def _vocabulary(names: Vocabulary | Iterable[Any] | None, kind: str, shape: tuple[int, int]) -> Vocabulary:
    expected, other = shape if kind == "image" else shape[::-1]
    if names is None:
        return Vocabulary.numbered(expected, kind)
    vocabulary = names if isinstance(names, Vocabulary) else Vocabulary(names, kind)
    if len(vocabulary) != expected:
        hint = "; did you pass the transpose?" if len(vocabulary) == other else ""
        raise InputError(
            f"{len(vocabulary):,} {kind} names for {expected:,} {kind}s: rows are images, columns are labels{hint}"
        )
    return vocabulary


def _read_only(array: np.ndarray) -> np.ndarray:
    array = array.view()
    array.flags.writeable = False
    return array


def _as_mask(name: str, mask: Any, n: int) -> np.ndarray:
    refuse_masked(name, mask)
    mask = np.asarray(mask)
    if mask.shape != (n,) or (n and mask.dtype != np.bool_):
        raise InputError(f"{name} must be a mask of {n:,} pairs, not {mask.dtype} of shape {mask.shape}")
    return mask.astype(np.bool_, copy=False)


def _checked_titles(titles: Iterable[str], n_images: int) -> np.ndarray:
    check_ordered(titles, "titles")
    if isinstance(titles, (str, bytes)) or not isinstance(titles, Iterable):
        raise InputError(f"titles must be a list of texts, not {titles!r:.60}")
    array = titles if isinstance(titles, np.ndarray) else as_texts(list(titles), "title")
    if array.shape != (n_images,):
        raise InputError(f"titles must be one per image ({n_images}), not {array.shape}")
    return array.copy() if array.dtype == NAME_DTYPE else as_texts(array, "title")
