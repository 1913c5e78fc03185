"""Queries to a model of images and labels: the images, their known labels, and the labels that may be suggested."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from vsenumba.checks import is_number
from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.names import check_ordered
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError

# Types that contain the labels of one image, as opposed to its id.
_LISTS = (list, tuple, set, frozenset, np.ndarray)

# Number of images to check at once.
_IMAGES_AT_A_TIME = 65_536


class Scores(Protocol):
    """A scorer of labels for images: a model, or a substitute that treats images as new."""

    def knows(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Return the images for which it can rank labels; see `Annotator.knows`."""

    def score_block(
        self, known: AnnotationSet, rows: np.ndarray, labels: slice | np.ndarray = slice(None)
    ) -> np.ndarray:
        """Return scores; see `Annotator.score_block`."""

    def _vectors(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Return vectors of images; see `Annotator.similar_images`."""


class Answering(Scores, Protocol):
    """The part of a model that reading a query needs."""

    seen_: AnnotationSet
    image_ids_: Vocabulary
    label_names_: Vocabulary

    @property
    def uses_features(self) -> bool:
        """Whether the model uses features of images."""

    def align(self, data: Any, argument: str = "X") -> AnnotationSet:
        """Return a set with the model's label columns; see `Annotator.align`."""

    def _check_images(self, data: AnnotationSet) -> None: ...

    def _for_new_images(self, known: AnnotationSet) -> Scores: ...


class Question(NamedTuple):
    """Images to find labels for.

    Attributes
    ----------
    known : AnnotationSet
        The images with their known labels; its columns are the model's labels.
    rows : (n,) int64 array
        Rows of `known` to find labels for.
    scores : Scores
        The scorer.
    knows : (n,) bool array
        For each row, whether the scorer knows enough about the image.
    """

    known: AnnotationSet
    rows: np.ndarray
    scores: Scores
    knows: np.ndarray

    @classmethod
    def of(cls, known: AnnotationSet, rows: np.ndarray, scores: Scores) -> Question:
        """Create a question, and find out which images the scorer knows, a few at a time."""
        knows = np.zeros(len(rows), bool)
        for start in range(0, len(rows), _IMAGES_AT_A_TIME):
            some = slice(start, start + _IMAGES_AT_A_TIME)
            knows[some] = scores.knows(known, rows[some])
        return cls(known, rows, scores, knows)

    @property
    def unknown(self) -> np.ndarray:
        """Ids of the images about which nothing is known."""
        return self.known.image_ids.take(self.rows[~self.knows])


def as_question(model: Answering, images: Any, features: Any) -> Question:
    """Return the question about some images, in any of the forms that `Annotator.annotate` accepts.

    Raises
    ------
    InputError
        If nothing is given, or the images cannot be read unambiguously.
    UnknownNameError
        If the model does not know an image or a label.
    """
    if features is not None:
        _check_takes_features(model, features)
    if images is None:
        if features is None:
            raise InputError(
                "no images are given; pass their ids, lists of their known labels, or feature vectors as features="
            )
        known = _of_nothing(features.shape[0] if hasattr(features, "shape") else len(features), model.label_names_)
        known = known.with_features(features)
        return Question.of(known, np.arange(known.n_images), model._for_new_images(known))
    check_ordered(images, "images")
    if isinstance(images, str):
        raise InputError(f"images must be a sequence of ids, such as [{images!r}], not one string")
    if is_set(images):
        _refuse_vectors(images)
        known = _with_features(model.align(images, "images"), features)
        model._check_images(known)
        return Question.of(known, np.arange(known.n_images), model)
    given = list(images)
    if any(isinstance(one, _LISTS) for one in given):
        known = _with_features(model.align(as_label_lists(given)), features)
        return Question.of(known, np.arange(len(given)), model._for_new_images(known))
    rows = model.image_ids_.index(given)
    if features is None:
        return Question.of(model.seen_, rows, model)
    known = _with_features(model.seen_.with_features(None).select_images(rows), features)
    return Question.of(known, np.arange(len(rows)), model)


def about_vectors(scores: Scores, n_images: int, label_names: Vocabulary) -> Question:
    """Return a question about images that are given by their vectors alone; their ids are "row 0", ..."""
    return Question.of(_of_nothing(n_images, label_names, "row "), np.arange(n_images), scores)


def _of_nothing(n_images: int, label_names: Vocabulary, prefix: str = "new image ") -> AnnotationSet:
    """Return a set of images without labels."""
    indptr, indices = np.zeros(n_images + 1, np.int64), np.zeros(0, np.int32)
    return AnnotationSet(indptr, indices, len(label_names), Vocabulary.numbered(n_images, "image", prefix), label_names)


def is_set(images: Any) -> bool:
    """Return whether images are a set with labels, rather than a list of ids or of label lists."""
    return isinstance(images, (AnnotationSet, Mapping)) or len(getattr(images, "shape", ())) == 2


def as_label_lists(label_lists: Iterable[Any]) -> AnnotationSet:
    """Return a set of new images from lists of their known labels; their ids are "new image 0", ...

    Raises
    ------
    InputError
        If it is one string, or not one list for each image.
    """
    check_ordered(label_lists, "labels")
    if isinstance(label_lists, AnnotationSet):
        raise InputError(
            "labels must be one list of names per image, not a set; give [data.labels_of(name) for name in "
            "data.image_ids]"
        )
    lists = [label_lists] if isinstance(label_lists, str) else list(label_lists)
    if not all(isinstance(one, _LISTS) and not _is_numeric(one) for one in lists):
        hint = "; pass feature vectors as features=" if any(map(_is_vector, lists)) else ""
        raise InputError(
            f"labels must be one list of names per image, such as [['cat', 'animal']], not {label_lists!r}{hint}"
        )
    return AnnotationSet.from_lists(lists, Vocabulary.numbered(len(lists), "image", "new image "))


def warn_of_unknown(images: Sequence[str] | np.ndarray, stacklevel: int = 3) -> None:
    """Warn about images that get no suggestions because nothing is known about them."""
    if len(images):
        warnings.warn(
            f"no labels are suggested for {len(images):,} image(s), such as {str(images[0])!r}: nothing is known about "
            "them",
            UserWarning,
            stacklevel=stacklevel,
        )


class Limits(NamedTuple):
    """Limits on the labels that may be suggested.

    Attributes
    ----------
    labels : (m,) int64 array or None
        Allowed label columns, in ascending order; None for all.
    floor : float32
        Only labels with a score above this are suggested.
    """

    labels: np.ndarray | None
    floor: np.float32


#: No limits: all labels with any score.
NO_LIMITS = Limits(None, np.float32(-np.inf))


def as_limits(label_names: Vocabulary, only: Any, without: Any, least_score: Any) -> Limits:
    """Return the limits on suggested labels.

    Parameters
    ----------
    label_names : Vocabulary
        The model's labels.
    only : collection of str or None
        Labels that may be suggested; None for all.
    without : collection of str or None
        Labels that may not be suggested.
    least_score : float or None
        Lowest score of a suggested label.

    Raises
    ------
    UnknownNameError
        If the model does not know a label; the message suggests the nearest names.
    InputError
        If names are given as one string, or the score is not a number.

    Examples
    --------
    >>> as_limits(Vocabulary(["cat", "dog", "ox"], "label"), None, ["dog"], 0.5).labels
    array([0, 2])
    """
    allowed = None if only is None else np.unique(_columns(label_names, only, "only"))
    if without is not None:
        refused = _columns(label_names, without, "without")
        allowed = np.setdiff1d(np.arange(len(label_names)) if allowed is None else allowed, refused)
    return Limits(allowed, floor_of(least_score))


def as_names_asked(names: Any, argument: str) -> list[Any]:
    """Return one name or several as a list.

    Raises
    ------
    InputError
        If there are no names, or they are a Python set, whose order differs between processes.
    """
    if isinstance(names, (str, int, np.integer)):
        return [names]
    check_ordered(names, argument)
    if isinstance(names, bytes) or not isinstance(names, Iterable):
        raise InputError(f"{argument} must be a name or a list of names, not {names!r:.60}")
    found = list(names)
    if not found:
        raise InputError(f"{argument} must contain at least one name")
    return found


def _columns(label_names: Vocabulary, names: Any, argument: str) -> np.ndarray:
    if isinstance(names, (str, bytes)) or not isinstance(names, Iterable):
        raise InputError(f"{argument} must be a list of label names, such as ['cat', 'dog'], not {names!r:.60}")
    return label_names.index(list(names))  # a Python set is fine here, because the order does not matter


def floor_of(least_score: Any) -> np.float32:
    """Return the float32 just below the lowest score to suggest."""
    if least_score is None:
        return np.float32(-np.inf)
    if not is_number(least_score) or np.isnan(least_score):
        raise InputError(f"least_score must be a number, not {least_score!r:.60}")
    with np.errstate(over="ignore"):
        least = np.float32(least_score)
    if float(least) < least_score:
        least = np.nextafter(least, np.float32(np.inf))
    return np.nextafter(least, np.float32(-np.inf))


def _with_features(known: AnnotationSet, features: Any) -> AnnotationSet:
    if features is None:
        return known
    if known.features is not None:
        raise InputError("the images already have features; give them in the set or as features=, not both")
    return known.with_features(features)


def _check_takes_features(model: Answering, features: Any) -> None:
    if not model.uses_features:
        parameters = getattr(model, "inputs", None)
        what = f"its inputs are {parameters!r}" if parameters else f"it is a {type(model).__name__}"
        raise InputError(
            f"features are given, but the model does not use them: {what}; use an ImageAnnotator with "
            "inputs='features' or ('labels', 'features')"
        )
    if len(getattr(features, "shape", np.shape(features))) != 2:
        raise InputError("features must be a matrix with one row per image; pass a single vector as vector[None]")


def _refuse_vectors(images: Any) -> None:
    """Raise an error for a matrix of fractional numbers, and explain how to pass feature vectors."""
    if isinstance(images, np.ndarray) and images.dtype.kind == "f" and _is_fractional(images):
        raise InputError(
            "images is a matrix of fractional numbers; it must contain zeros and ones, for the labels that each image "
            "has; pass feature vectors as features="
        )


def _is_fractional(array: np.ndarray) -> bool:
    return bool(np.isfinite(array).all() and (np.trunc(array) != array).any())


def _is_numeric(one: Any) -> bool:
    """Return whether it is an array of numbers, such as a row of a matrix."""
    return isinstance(one, np.ndarray) and one.dtype.kind in "biuf"


def _is_vector(one: Any) -> bool:
    return isinstance(one, np.ndarray) and one.dtype.kind == "f" and _is_fractional(one)
