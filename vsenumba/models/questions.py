"""What a model of images and labels is asked about: which images, what is known of them, which labels may be told."""

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

# What holds the labels of one image, where its id could stand too.
_LISTS = (list, tuple, set, frozenset, np.ndarray)

# Images that are looked at together.
_IMAGES_AT_A_TIME = 65_536


class Scores(Protocol):
    """What scores labels for images, be it a model or what stands for it with new images."""

    def knows(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Return of which images it knows enough; see `Annotator.knows`."""

    def score_block(
        self, known: AnnotationSet, rows: np.ndarray, labels: slice | np.ndarray = slice(None)
    ) -> np.ndarray:
        """Return scores; see `Annotator.score_block`."""

    def _vectors(self, known: AnnotationSet, rows: np.ndarray) -> np.ndarray:
        """Return vectors of images, if it has any; see `Annotator.similar_images`."""


class Answering(Scores, Protocol):
    """What a model has, by which questions are read."""

    seen_: AnnotationSet
    image_ids_: Vocabulary
    label_names_: Vocabulary

    @property
    def uses_features(self) -> bool:
        """Whether it looks at features of images."""

    def align(self, data: Any, argument: str = "X") -> AnnotationSet:
        """Return a set with its label columns; see `Annotator.align`."""

    def _check_images(self, data: AnnotationSet) -> None: ...

    def _for_new_images(self, known: AnnotationSet) -> Scores: ...


class Question(NamedTuple):
    """Images to find labels for.

    Attributes
    ----------
    known : AnnotationSet
        What is known of the images, with the model's labels.
    rows : (n,) int64 array
        Which images of it.
    scores : Scores
        What scores labels for them.
    knows : (n,) bool array
        Of which of them it knows anything.
    """

    known: AnnotationSet
    rows: np.ndarray
    scores: Scores
    knows: np.ndarray

    @classmethod
    def of(cls, known: AnnotationSet, rows: np.ndarray, scores: Scores) -> Question:
        """Make one, having asked what is known, of some images at a time."""
        knows = np.zeros(len(rows), bool)
        for start in range(0, len(rows), _IMAGES_AT_A_TIME):
            some = slice(start, start + _IMAGES_AT_A_TIME)
            knows[some] = scores.knows(known, rows[some])
        return cls(known, rows, scores, knows)

    @property
    def unknown(self) -> np.ndarray:
        """The ids of the images of which nothing is known."""
        return self.known.image_ids.take(self.rows[~self.knows])


def as_question(model: Answering, images: Any, features: Any) -> Question:
    """Return what a model is asked about, whatever stands for the images; see `Annotator.annotate`.

    Raises
    ------
    InputError
        If nothing is given, or it cannot be read in one way.
    UnknownNameError
        If an image or a label is not one of the model's.
    """
    if features is not None:
        _check_takes_features(model, features)
    if images is None:
        if features is None:
            raise InputError(
                "give images, by their ids or by lists of their labels, or their feature vectors, features="
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
    """Return a question about images that are given by their vectors alone; they are called "row 0", ..."""
    return Question.of(_of_nothing(n_images, label_names, "row "), np.arange(n_images), scores)


def _of_nothing(n_images: int, label_names: Vocabulary, prefix: str = "new image ") -> AnnotationSet:
    """Return a set of images without a label."""
    indptr, indices = np.zeros(n_images + 1, np.int64), np.zeros(0, np.int32)
    return AnnotationSet(indptr, indices, len(label_names), Vocabulary.numbered(n_images, "image", prefix), label_names)


def is_set(images: Any) -> bool:
    """Tell whether images come with their labels as a whole, not as a list of ids or of label lists."""
    return isinstance(images, (AnnotationSet, Mapping)) or len(getattr(images, "shape", ())) == 2


def as_label_lists(label_lists: Iterable[Any]) -> AnnotationSet:
    """Return the set of new images, each known by a list of label names; they are called "new image 0", ...

    Raises
    ------
    InputError
        If it is a single text, or not one list for each image.
    """
    check_ordered(label_lists, "labels")
    if isinstance(label_lists, AnnotationSet):
        raise InputError(
            "labels must be one list of names per image, not a set; give [data.labels_of(name) for name in "
            "data.image_ids]"
        )
    lists = [label_lists] if isinstance(label_lists, str) else list(label_lists)
    if not all(isinstance(one, _LISTS) and not _is_numeric(one) for one in lists):
        hint = "; feature vectors are given as features=" if any(map(_is_vector, lists)) else ""
        raise InputError(
            f"labels must be one list of names per image, such as [['cat', 'animal']], not {label_lists!r}{hint}"
        )
    return AnnotationSet.from_lists(lists, Vocabulary.numbered(len(lists), "image", "new image "))


def warn_of_unknown(images: Sequence[str] | np.ndarray, stacklevel: int = 3) -> None:
    """Say of how many images nothing is known, so that nothing is suggested for them."""
    if len(images):
        warnings.warn(
            f"no labels are suggested for {len(images):,} image(s), such as {str(images[0])!r}: nothing is known of "
            "them",
            UserWarning,
            stacklevel=stacklevel,
        )


class Limits(NamedTuple):
    """Which labels may be told, and from which score on.

    Attributes
    ----------
    labels : (m,) int64 array or None
        Label columns, rising; None for all.
    floor : float32
        Scores that are not above it are left out.
    """

    labels: np.ndarray | None
    floor: np.float32


#: All labels, whatever their scores.
NO_LIMITS = Limits(None, np.float32(-np.inf))


def as_limits(label_names: Vocabulary, only: Any, without: Any, least_score: Any) -> Limits:
    """Return which labels may be told.

    Parameters
    ----------
    label_names : Vocabulary
        The model's labels.
    only, without : collection of str or None
        The labels that may be told, all where it is None, and those that may not.
    least_score : float or None
        The lowest score that is told.

    Raises
    ------
    UnknownNameError
        If the model does not know a label; the nearest are suggested.
    InputError
        If names are given as one text, or the score is no number.

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
    """Return one or several names as a list.

    Raises
    ------
    InputError
        If there is none, or they are a set, whose order is another in every process.
    """
    if isinstance(names, (str, int, np.integer)):
        return [names]
    check_ordered(names, argument)
    if isinstance(names, bytes) or not isinstance(names, Iterable):
        raise InputError(f"{argument} must be a name or a list of names, not {names!r:.60}")
    found = list(names)
    if not found:
        raise InputError(f"{argument} must have at least one name")
    return found


def _columns(label_names: Vocabulary, names: Any, argument: str) -> np.ndarray:
    if isinstance(names, (str, bytes)) or not isinstance(names, Iterable):
        raise InputError(f"{argument} must be a list of label names, such as ['cat', 'dog'], not {names!r:.60}")
    return label_names.index(list(names))  # a set will do: nothing depends on the order


def floor_of(least_score: Any) -> np.float32:
    """Return the float32 just below the least score that is told."""
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
        raise InputError("the images have features already; give them as part of the set, or as features=, not both")
    return known.with_features(features)


def _check_takes_features(model: Answering, features: Any) -> None:
    if not model.uses_features:
        parameters = getattr(model, "inputs", None)
        what = f"its inputs are {parameters!r}" if parameters else f"as no {type(model).__name__} does"
        raise InputError(
            f"features are given, but the model does not look at them: {what}; an ImageAnnotator with "
            "inputs='features' or ('labels', 'features') does"
        )
    if len(getattr(features, "shape", np.shape(features))) != 2:
        raise InputError("features must be a matrix with one row per image; of one vector that is vector[None]")


def _refuse_vectors(images: Any) -> None:
    """Refuse a matrix of other numbers than those of labels, saying how feature vectors are given."""
    if isinstance(images, np.ndarray) and images.dtype.kind == "f" and _is_fractional(images):
        raise InputError(
            "images is a matrix of fractional numbers; a matrix is one of zeros and ones, which labels an image has, "
            "and feature vectors are given as features="
        )


def _is_fractional(array: np.ndarray) -> bool:
    return bool(np.isfinite(array).all() and (np.trunc(array) != array).any())


def _is_numeric(one: Any) -> bool:
    """Tell whether it is an array of numbers, as a row of a matrix is."""
    return isinstance(one, np.ndarray) and one.dtype.kind in "biuf"


def _is_vector(one: Any) -> bool:
    return isinstance(one, np.ndarray) and one.dtype.kind == "f" and _is_fractional(one)
