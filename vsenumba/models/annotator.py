"""What every annotation model offers, whatever it learns: vocabularies, suggestions, search, saving."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from vsenumba.data.annotation.annotation_set import PAIRS, AnnotationSet
from vsenumba.data.annotation.coercion import as_annotation_set, matched_or_new
from vsenumba.data.annotation.splits import leave_one_out
from vsenumba.data.matches import Match, best_matches, checked_count
from vsenumba.data.names import check_ordered
from vsenumba.data.vocabulary import NumberedVocabulary, Vocabulary
from vsenumba.errors import InputError
from vsenumba.evaluation import evaluate
from vsenumba.evaluation.known_labels import with_known_labels
from vsenumba.models.fitted import Fitted
from vsenumba.models.new_images import NewImages
from vsenumba.models.unfitted import check_is_fitted
from vsenumba.storage import schema

# What holds the labels of one image, where its id could stand too.
_LISTS = (list, tuple, set, frozenset, np.ndarray)

# Scores of a block of images are held at once; 32 MB of them.
_BLOCK_CELLS = 8_000_000
# ... and the vectors of so many images.
_BLOCK_IMAGES = 65_536


class Annotator(Fitted):
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

    subject: ClassVar[str] = "images and labels"

    @abstractmethod
    def score_block(
        self, known: AnnotationSet, rows: np.ndarray, labels: slice | np.ndarray = slice(None)
    ) -> np.ndarray:
        """Return the scores of labels for some images, (len(rows), n_labels) float32.

        Parameters
        ----------
        known : AnnotationSet
            What is known of the images; its label columns are the model's, see `align`.
        rows : (b,) int64 array
            Which images of `known`.
        labels : slice or int64 array
            Which labels; all by default.
        """

    def knows(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Return of which images the model knows enough to rank labels for them, (len(rows),) bool."""
        return np.ones(len(rows), dtype=bool)

    def _check_images(self, data: AnnotationSet) -> None:
        """Refuse images of which the model can know nothing, whatever labels they have."""

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

        A matrix without names must have one column per label of the model, in its order. Rows of a matrix, and label
        lists, are the model's images if there are as many, and unknown images otherwise.

        Parameters
        ----------
        data : AnnotationSet, sparse matrix, array or list of label lists
            The set.
        argument : str
            What it is called in messages.

        Raises
        ------
        UnknownNameError
            If a label that occurs is not one of the model's.
        InputError
            If a matrix has another number of columns.
        """
        data = self._named(data, argument)
        if data.label_names is self.label_names_ or data.label_names == self.label_names_:
            return data
        used = np.flatnonzero(data.label_counts)
        columns = np.full(data.n_labels, -1, dtype=np.int64)
        columns[used] = self.label_names_.index(data.label_names.take(used))
        return data.with_columns(columns, self.label_names_)

    def _named(self, data: Any, argument: str) -> AnnotationSet:
        """Return a set whose labels have names: for a matrix without any these are the model's, see `align`."""
        check_is_fitted(self)
        if isinstance(data, AnnotationSet):
            return data
        data = matched_or_new(as_annotation_set(data, argument), self.image_ids_)
        # Of a matrix; label lists have names, be they numbers.
        if not isinstance(data.label_names, NumberedVocabulary):
            return data
        if data.n_labels != self.n_features_in_:
            hint = "; did you pass the transpose?" if data.n_images == self.n_features_in_ else ""
            raise InputError(
                f"{argument} has {data.n_labels} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input: one column per label{hint}"
            )
        return AnnotationSet(data.indptr, data.indices, data.n_labels, data.image_ids, self.label_names_)

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
        if not (source.image_ids is test.image_ids or source.image_ids == test.image_ids):
            source = source.reindex_images(test.image_ids)
        if source.features is None and test.features is not None:
            source = source.with_features_of(test)
        return source

    def annotate(self, images: Any, n: int = 10) -> list[list[Match]]:
        """Suggest labels for images, their known labels and those that they were found not to have left out.

        Parameters
        ----------
        images : sequence of str, sequence of lists of str, or set
            Ids of images that the model was trained on. For new images, a list of the labels that each is known to
            have: ``[["cat", "animal"]]`` is one image with two labels. Or a set of any images with their known labels:
            an AnnotationSet, a mapping from ids to labels, a matrix, a data frame of zeros and ones.
        n : int
            How many labels to suggest for each image; fewer where there are fewer.

        Returns
        -------
        list of list of Match
            For each image the best labels, best first; none for an image of which nothing is known.

        Raises
        ------
        UnknownNameError
            If an image id or a label is not known; the nearest names are suggested.

        Warns
        -----
        UserWarning
            If nothing is known of some images.

        Examples
        --------
        >>> from vsenumba import ImageAnnotator, load_dataset
        >>> model = ImageAnnotator(n_epochs=1, random_state=0).fit(load_dataset("openclipart"))
        >>> [match.name in ("animal", "farm") for match in model.annotate([["animal", "farm"]], n=2)[0]]
        [False, False]
        """
        check_is_fitted(self)
        n = checked_count(n)
        check_ordered(images, "images")
        if isinstance(images, str):
            raise InputError(f"images must be a sequence of ids, such as [{images!r}], not one string")
        scorer: Annotator | NewImages = self
        given = images if _is_set(images) else list(images)
        if not isinstance(given, list):
            known = self.align(given, "images")
            rows = np.arange(known.n_images)
            self._check_images(known)
        elif any(isinstance(one, _LISTS) for one in given):
            known, rows = self.align(as_label_lists(given)), np.arange(len(given))
            scorer = self._for_new_images(known)
        else:
            known, rows = self.seen_, self.image_ids_.index(given)
        knows = scorer.knows(known, rows)
        warn_of_unknown(known.image_ids.take(rows[~knows]))
        suggestions = []
        for some in blocks_of_images(rows, known.n_labels):
            block = rows[some]
            for row, knowing, line in zip(block, knows[some], scorer.score_block(known, block), strict=True):
                line[known.settled(row)] = -np.inf
                suggestions.append(best_matches(line, n, self.label_names_) if knowing else [])
        return suggestions

    def find_images(self, label: str, n: int = 10, *, include_known: bool = False) -> list[Match]:
        """Find the images, of those the model was trained on, that a label fits best.

        Images that were found not to have it, as verified absences say, are left out.

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
        list of Match
            Image ids with scores, best first.
        """
        check_is_fitted(self)
        (column,) = self.label_names_.index([label])
        rows = np.arange(self.seen_.n_images)
        # Only the label's own column: a model can have more labels than memory has room for, times its images.
        blocks = [rows[some] for some in blocks_of_images(rows, 1)]
        scores = np.concatenate([self.score_block(self.seen_, block, np.array([column]))[:, 0] for block in blocks])
        scores[~self.knows(self.seen_, rows)] = -np.inf
        for pairs in (None if include_known else self.seen_, self.seen_.absent):
            if pairs is not None:
                known = np.flatnonzero(pairs.indices == column)
                scores[np.searchsorted(pairs.indptr, known, side="right") - 1] = -np.inf
        return best_matches(scores, n, self.image_ids_)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean reciprocal rank of a held-out label, for scikit-learn's searches and cross-validation.

        One label of every image with two or more is held out, always the same. The image is ranked by its others, as
        one that the model has never seen; all labels but these take part. Labels that the model does not know are left
        out.

        Parameters
        ----------
        X : AnnotationSet, sparse matrix, array or list of label lists
            Images with their labels; best such as the model was not trained on.
        y : None
            Ignored.

        Returns
        -------
        float
            In 0..1; higher is better.

        Examples
        --------
        >>> from sklearn.model_selection import GridSearchCV
        >>> from vsenumba import ImageAnnotator, synthetic
        >>> model = ImageAnnotator(n_factors=8, n_epochs=3, random_state=0)
        >>> search = GridSearchCV(model, {"sampler__lam": [0.05, 0.1], "l2": [0.001, 0.01]}, cv=2)
        >>> sorted(search.fit(synthetic(60, 12, 240, rng=0)).best_params_)
        ['l2', 'sampler__lam']
        """
        data, _ = with_known_labels(self._named(X, "X"), self.label_names_, "X")
        known, held_out = leave_one_out(self.align(data), rng=0)
        if held_out.n_pairs == 0:
            raise InputError(
                "score holds out a label of every image with two that the model knows, and there is no such image; "
                "give images with all their labels"
            )
        return evaluate(self._for_new_images(known), held_out, exclude=known, metrics=["mrr"]).mean["mrr"]

    def _for_new_images(self, known: AnnotationSet) -> NewImages:
        """Return a scorer that ranks labels for images as if it had never seen them."""
        return NewImages(self)

    def _to_elements(self) -> dict[str, Any]:
        # Not the features and titles: they are not the model's.
        return {"seen": {name: element for name, element in self.seen_.to_elements().items() if name in PAIRS}}

    def _found_sizes(self, elements: Mapping[str, Any]) -> schema.Sizes:
        return schema.check(schema.Elements({"seen": schema.Elements(PAIRS)}), elements)

    def _from_elements(self, elements: Mapping[str, Any]) -> None:
        seen = elements["seen"]
        self._remember(AnnotationSet.from_elements({name: seen[name] for name in PAIRS if name in seen}))


def _is_set(images: Any) -> bool:
    """Tell whether images come with their labels as a whole, not as a list of ids or of label lists."""
    return isinstance(images, (AnnotationSet, Mapping)) or len(getattr(images, "shape", ())) == 2


def blocks_of_images(rows: np.ndarray, n_labels: int) -> list[slice]:
    """Return slices of rows whose scores of so many labels are held at once."""
    step = max(1, min(_BLOCK_IMAGES, _BLOCK_CELLS // max(n_labels, 1)))
    return [slice(start, start + step) for start in range(0, len(rows), step)]


def warn_of_unknown(images: Sequence[str] | np.ndarray) -> None:
    """Say of how many images nothing is known, so that nothing is suggested for them."""
    if len(images):
        warnings.warn(
            f"no labels are suggested for {len(images):,} image(s), such as {str(images[0])!r}: nothing is known of "
            "them",
            UserWarning,
            stacklevel=3,
        )


def as_label_lists(label_lists: Iterable[Any]) -> AnnotationSet:
    """Return the set of new images, each known by a list of label names; they are called "new image 0", ...

    Raises
    ------
    InputError
        If it is a single text, or not one list for each image.
    """
    check_ordered(label_lists, "labels")
    lists = [label_lists] if isinstance(label_lists, str) else list(label_lists)
    if not all(isinstance(one, _LISTS) and not _is_numeric(one) for one in lists):
        raise InputError(
            f"labels must be one list of names per image, such as [['cat', 'animal']], not {label_lists!r}"
        )
    return AnnotationSet.from_lists(lists, Vocabulary.numbered(len(lists), "image", "new image "))


def _is_numeric(one: Any) -> bool:
    """Tell whether it is an array of numbers, as a row of a matrix is."""
    return isinstance(one, np.ndarray) and one.dtype.kind in "biuf"
