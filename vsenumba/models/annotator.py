"""What every annotation model offers, whatever it learns: vocabularies, suggestions, search, saving."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from vsenumba import storage
from vsenumba.data.annotation_set import AnnotationSet, as_annotation_set
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError
from vsenumba.models.parameters import from_json, to_json

_SEEN = ("indptr", "indices", "image_ids", "label_names")

# Scores of a block of images are held at once; 32 MB of them.
_BLOCK_CELLS = 8_000_000


class Suggestion(NamedTuple):
    """A label or an image that a model suggests, and its score; higher is better."""

    name: str
    score: float


class Annotator(BaseEstimator, ABC):  # type: ignore[misc]  # scikit-learn has no types
    """Base of the annotation models.

    Attributes
    ----------
    seen_ : AnnotationSet
        The pairs the model was trained on.
    image_ids_, label_names_ : Vocabulary
        The images and the labels it knows.
    n_features_in_ : int
        The number of labels, as scikit-learn calls it.
    """

    kind: ClassVar[str]

    @abstractmethod
    def score_block(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Return the scores of all labels for some images, (len(rows), n_labels) float32.

        Parameters
        ----------
        known : AnnotationSet
            What is known of the images; its label columns are the model's, see `align`.
        rows : (b,) int64 array
            Which images of `known`.
        """

    @abstractmethod
    def _to_elements(self) -> dict[str, Any]:
        """Return the arrays that `save` writes, by name."""

    @abstractmethod
    def _from_elements(self, elements: Mapping[str, Any]) -> None:
        """Take back what `_to_elements` returned."""

    def __sklearn_tags__(self) -> Any:
        """Say what the models take: sparse matrices, and no negative values."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        return tags

    def _remember(self, seen: AnnotationSet) -> None:
        # The words of the first two messages are what scikit-learn's checks look for.
        for found, what in ((seen.n_images, "sample"), (seen.n_labels, "feature"), (seen.n_pairs, "pair")):
            if found == 0:
                raise InputError(
                    f"there is nothing to learn from: {seen!r} has 0 {what}(s) (shape={seen.shape}) while a minimum "
                    "of 1 is required."
                )
        self.seen_ = seen
        self.image_ids_ = seen.image_ids
        self.label_names_ = seen.label_names
        self.n_features_in_ = seen.n_labels

    @property
    def label_names(self) -> Vocabulary:
        """The labels the model knows, in the order of its scores."""
        check_is_fitted(self)
        return self.label_names_

    def align(self, data: Any, argument: str = "X") -> AnnotationSet:
        """Return a set with the model's label columns; a set's columns are matched by name.

        A matrix without names must have one column per label of the model, in its order; its rows are the model's
        images if there are as many, and unknown images otherwise.

        Raises
        ------
        UnknownNameError
            If a label that occurs is not one of the model's.
        InputError
            If a matrix has another number of columns.
        """
        check_is_fitted(self)
        if not isinstance(data, AnnotationSet):
            data = as_annotation_set(data, argument)
            numbered = data.label_names == Vocabulary.numbered(data.n_labels, "label")
            if numbered and data.n_labels != self.n_features_in_:
                hint = "; did you pass the transpose?" if data.n_images == self.n_features_in_ else ""
                raise InputError(
                    f"{argument} has {data.n_labels} features, but {type(self).__name__} is expecting "
                    f"{self.n_features_in_} features as input: one column per label{hint}"
                )
            if numbered:
                ids = self.image_ids_ if data.n_images == len(self.image_ids_) else None
                return AnnotationSet(data.indptr, data.indices, data.n_labels, ids, self.label_names_)
        if data.label_names is self.label_names_ or data.label_names == self.label_names_:
            return data
        used = np.flatnonzero(data.label_counts)
        columns = np.full(data.n_labels, -1, dtype=np.int64)
        columns[used] = self.label_names_.index(data.label_names.take(used))
        return data.with_columns(columns, self.label_names_)

    def known_for(self, test: AnnotationSet, exclude: AnnotationSet | None) -> AnnotationSet:
        """Return what is known of a test set's images, row by row: the labels in `exclude`, or those seen in training.

        Parameters
        ----------
        test : AnnotationSet
            The images to be scored.
        exclude : AnnotationSet or None
            What is known of them; None for what the model was trained on. Images are matched by id, and an image that
            is not there has no known label.
        """
        source = self.seen_ if exclude is None else self.align(exclude, "exclude")
        if source.image_ids is test.image_ids or source.image_ids == test.image_ids:
            return source
        return source.reindex_images(test.image_ids)

    def _scores(self, known: AnnotationSet, rows: np.ndarray) -> Iterable[tuple[np.ndarray, np.ndarray]]:
        step = max(1, _BLOCK_CELLS // max(known.n_labels, 1))
        for start in range(0, len(rows), step):
            block = rows[start : start + step]
            yield block, self.score_block(known, block)

    def annotate(self, images: Iterable[str] | AnnotationSet, n: int = 10) -> list[list[Suggestion]]:
        """Suggest labels for images, their known labels left out.

        Parameters
        ----------
        images : sequence of str, or AnnotationSet
            Ids of images that the model was trained on; or a set of any images, of which what is known is in the set.
        n : int
            How many labels to suggest for each image; fewer where there are fewer.

        Returns
        -------
        list of list of Suggestion
            For each image the best labels, best first.

        Raises
        ------
        UnknownNameError
            If an image id is not known; the nearest ids are suggested.
        """
        check_is_fitted(self)
        n = _checked_count(n)
        if isinstance(images, AnnotationSet):
            known, rows = self.align(images, "images"), np.arange(images.n_images)
        else:
            if isinstance(images, str):
                raise InputError(f"images must be a sequence of ids, such as [{images!r}], not one string")
            known, rows = self.seen_, self.image_ids_.index(images)
        suggestions = []
        for block, scores in self._scores(known, rows):
            for row, line in zip(block, scores, strict=True):
                line[known.indices[known.indptr[row] : known.indptr[row + 1]]] = -np.inf
                suggestions.append(best(line, n, self.label_names_))
        return suggestions

    def find_images(self, label: str, n: int = 10, *, include_known: bool = False) -> list[Suggestion]:
        """Find the images, of those the model was trained on, that a label fits best.

        Parameters
        ----------
        label : str
            The label's name.
        n : int
            How many images to return at most.
        include_known : bool
            Whether images that have the label already are among them.

        Returns
        -------
        list of Suggestion
            Image ids with scores, best first.
        """
        check_is_fitted(self)
        (column,) = self.label_names_.index([label])
        rows = np.arange(self.seen_.n_images)
        scores = np.concatenate([block[:, column] for _, block in self._scores(self.seen_, rows)])
        if not include_known:
            known = np.flatnonzero(self.seen_.indices == column)
            scores[np.searchsorted(self.seen_.indptr, known, side="right") - 1] = -np.inf
        return best(scores, _checked_count(n), self.image_ids_)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model to one ``.h5`` file: parameters, arrays, names, seen pairs; see ``docs/file-format.md``."""
        self._write(path, {})

    def _write(self, path: str | PathLike[str], extra: Mapping[str, Any]) -> None:
        check_is_fitted(self)
        elements = {
            "class": storage.Json(self.kind),
            "parameters": storage.Json(to_json(self.get_params(deep=False))),
            # Not the features and titles: they are not the model's.
            "seen": {name: element for name, element in self.seen_.to_elements().items() if name in _SEEN},
            **self._to_elements(),
            **extra,
        }
        storage.write_file(path, "model", elements)

    @classmethod
    def from_elements(cls, elements: Mapping[str, Any]) -> Self:
        """Make a model from what `save` wrote."""
        model = cls(**from_json(elements["parameters"]))
        model._remember(AnnotationSet.from_elements(elements["seen"]))
        model._from_elements(elements)
        return model


def best(scores: np.ndarray, n: int, names: Vocabulary) -> list[Suggestion]:
    """Return the `n` highest finite scores with their names; equal scores in the order of the names' positions."""
    n = min(n, len(scores))
    top = np.argpartition(-scores, n - 1)[:n] if n else np.zeros(0, np.int64)
    # Partition picks any of the equals at the border; widen to all of them so that the first ones win.
    if n:
        top = np.flatnonzero(scores >= scores[top].min())
    order = top[np.lexsort((top, -scores[top]))][:n]
    return [Suggestion(names[int(a)], float(scores[a])) for a in order if scores[a] > -np.inf]


def _checked_count(n: int) -> int:
    if isinstance(n, bool) or int(n) != n or n < 1:
        raise InputError(f"n must be a whole number of at least 1, not {n!r}")
    return int(n)


def as_label_lists(label_lists: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return lists of label names, refusing a single string or a flat list of strings."""
    if isinstance(label_lists, str) or any(isinstance(one, str) for one in label_lists):
        raise InputError(
            f"labels must be one list of names per image, such as [['cat', 'animal']], not {label_lists!r}"
        )
    return [[str(name) for name in one] for one in label_lists]
