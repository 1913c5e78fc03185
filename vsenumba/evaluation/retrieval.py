"""Evaluation of retrieval: images are found by captions and captions by images, ranked among all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vsenumba import html
from vsenumba.checks import as_array, is_whole
from vsenumba.errors import InputError

# Maximum number of scores in memory at once.
_BLOCK = 1 << 24

_RECALLS = (1, 5, 10)


@dataclass(frozen=True, repr=False, eq=False)
class RetrievalScores:
    """The quality of retrieval between images and captions.

    Attributes
    ----------
    mean : dict of str to float
        The metrics. ``i2t`` finds captions by an image, ``t2i`` finds images by a caption:

        - ``"i2t_recall@1"``, ``@5`` and ``@10``: shares from 0 to 1;
        - ``"i2t_median_rank"`` and ``"i2t_mean_rank"``;
        - the same with ``t2i``;
        - ``"rsum"``: the sum of the six recalls, from 0 to 6. Papers print 100 times this value;
        - ``"i2t_class_map"`` and ``"t2i_class_map"``, if you give classes.
    image_ranks, caption_ranks : (n,) int64 arrays
        For each query, the rank of the best match, from 1. Ties count against it. With folds, the rank within the fold.
    n_images, n_captions, n_folds : int
        Numbers of images, captions and folds.

    Examples
    --------
    >>> vectors = np.eye(3)
    >>> evaluate_vectors(vectors, vectors, np.arange(3), np.array([0, 2, 1]))
    <RetrievalScores of 3 images and 3 captions, rsum 4.6667
      captions for an image  recall@1 0.3333  recall@5 1.0000  recall@10 1.0000  median_rank 3.0000  mean_rank 2.3333
      images for a caption   recall@1 0.3333  recall@5 1.0000  recall@10 1.0000  median_rank 3.0000  mean_rank 2.3333>
    """

    mean: Mapping[str, float]
    image_ranks: np.ndarray
    caption_ranks: np.ndarray
    n_images: int
    n_captions: int
    n_folds: int

    def __repr__(self) -> str:
        lines = [
            "  ".join([f"\n  {way:<21}", *(f"{name} {value:.4f}" for name, value in values.items())])
            for way, values in self._by_way().items()
        ]
        return f"<RetrievalScores of {self._sizes()}, rsum {self.mean['rsum']:.4f}{''.join(lines)}>"

    def _repr_html_(self) -> str:
        by_way = self._by_way()
        head = ["", *next(iter(by_way.values()))]
        rows = [(way, *values.values()) for way, values in by_way.items()]
        note = f"{self._sizes()}, rsum {self.mean['rsum']:.4f}"
        return html.panel("RetrievalScores", note, html.table(rows, head))

    def _sizes(self) -> str:
        folds = f" in {self.n_folds} folds" if self.n_folds > 1 else ""
        return f"{self.n_images:,} images and {self.n_captions:,} captions{folds}"

    def _by_way(self) -> dict[str, dict[str, float]]:
        ways = {"captions for an image": "i2t_", "images for a caption": "t2i_"}
        return {
            way: {name.removeprefix(start): value for name, value in self.mean.items() if name.startswith(start)}
            for way, start in ways.items()
        }


def evaluate_vectors(
    images: np.ndarray,
    captions: np.ndarray,
    image_subjects: np.ndarray,
    caption_subjects: np.ndarray,
    *,
    classes: np.ndarray | None = None,
    n_folds: int = 1,
) -> RetrievalScores:
    """Evaluate retrieval: rank all captions for every image, and all images for every caption, by dot product.

    Parameters
    ----------
    images, captions : (n, d), (m, d) arrays
        The vectors. Dot products are cosines if the vectors have length 1. The computation uses float32, or float64 if
        float32 cannot represent the values of their dtype.
    image_subjects, caption_subjects : (n,), (m,) arrays
        An image and a caption match if their subjects are equal.
    classes : (n,) array, optional
        Class of each image, and so of its captions: whole numbers or texts. The mean average precision counts all items
        of a query's class as matches.
    n_folds : int, default 1
        Number of consecutive parts of the images to evaluate separately. The results are averaged.

    Returns
    -------
    RetrievalScores
        The metrics and the ranks.

    Raises
    ------
    InputError
        If sizes do not match, vectors are not finite or too long, subjects or classes are missing, or an item has no
        match in its fold.

    Examples
    --------
    >>> vectors = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> evaluate_vectors(vectors, vectors, [0, 1], [0, 1]).mean["rsum"]
    6.0
    """
    images, captions = _checked_vectors("image", images), _checked_vectors("caption", captions)
    if images.shape[1] != captions.shape[1]:
        raise InputError(f"image vectors have {images.shape[1]:,} numbers, caption vectors {captions.shape[1]:,}")
    n_images, n_captions = len(images), len(captions)
    image_subjects = _checked_keys("subjects of images", image_subjects, n_images)
    caption_subjects = _checked_keys("subjects of captions", caption_subjects, n_captions)
    if classes is not None:
        classes = _checked_keys("classes of images", classes, n_images)
    if not is_whole(n_folds) or n_folds > n_images:
        raise InputError(
            f"n_folds must be a whole number from 1 to the number of images ({n_images:,}), not {n_folds!r}"
        )
    n_folds = int(n_folds)
    image_ranks, caption_ranks = np.zeros(n_images, np.int64), np.zeros(n_captions, np.int64)
    folds = []
    for rows in np.array_split(np.arange(n_images), n_folds):
        columns = np.flatnonzero(np.isin(caption_subjects, image_subjects[rows]))
        sides = images[rows], captions[columns], image_subjects[rows], caption_subjects[columns]
        image_ranks[rows] = first_ranks(*sides)
        caption_ranks[columns] = first_ranks(sides[1], sides[0], sides[3], sides[2])
        fold = _summary("i2t", image_ranks[rows]) | _summary("t2i", caption_ranks[columns])
        if classes is not None:
            of_captions = classes[rows][_first_of(sides[2], sides[3])]
            fold["i2t_class_map"] = class_map(sides[0], sides[1], classes[rows], of_captions)
            fold["t2i_class_map"] = class_map(sides[1], sides[0], of_captions, classes[rows])
        folds.append(fold)
    mean = {name: float(np.mean([fold[name] for fold in folds])) for name in folds[0]}
    mean["rsum"] = sum(mean[f"{way}_recall@{k}"] for way in ("i2t", "t2i") for k in _RECALLS)
    return RetrievalScores(mean, image_ranks, caption_ranks, n_images, n_captions, n_folds)


def _checked_vectors(name: str, vectors: Any) -> np.ndarray:
    """Return vectors as float32 or float64. Sums of products could overflow whole numbers and float16."""
    array = as_array(f"the {name} vectors", vectors)
    if array.dtype.kind not in "buif" or array.ndim != 2 or 0 in array.shape:
        raise InputError(
            f"the {name} vectors must be an array of numbers, a row for each {name}, not {array.dtype} of shape "
            f"{array.shape}"
        )
    if not np.isfinite(array).all():
        raise InputError(f"the {name} vectors are not finite; has training diverged?")
    return array.astype(np.float32 if np.can_cast(array.dtype, np.float32) else np.float64, copy=False)


def _checked_keys(name: str, keys: Any, n: int) -> np.ndarray:
    """Return subjects or classes as an array, after checking that they can be compared."""
    array = as_array(f"the {name}", keys)
    if array.shape != (n,):
        found = f"{len(array):,}" if array.ndim == 1 else f"an array of shape {array.shape}"
        raise InputError(f"there are {found} {name} for {n:,} vectors; each needs one")
    if array.dtype.kind not in "buifUT" or (array.dtype.kind == "f" and not np.isfinite(array).all()):
        raise InputError(f"the {name} must be whole numbers or texts, none missing, not {array.dtype}")
    return array


def first_ranks(queries: np.ndarray, found: np.ndarray, query_subjects: np.ndarray, subjects: np.ndarray) -> np.ndarray:
    """Return the rank of each query's best match, (n,) int64: 1 plus the number of others that score at least as high.

    Raises
    ------
    InputError
        If a query has no match.
    """
    ranks = np.zeros(len(queries), np.int64)
    for first, scores in _blocks(queries, found):
        matching = query_subjects[first : first + len(scores), None] == subjects
        if not matching.any(axis=1).all():
            query = first + int(np.flatnonzero(~matching.any(axis=1))[0])
            raise InputError(f"query {query} has no match among the {len(found):,} items")
        best = np.where(matching, scores, -np.inf).max(axis=1, keepdims=True)
        ranks[first : first + len(scores)] = 1 + ((scores >= best) & ~matching).sum(axis=1)
    return ranks


def class_map(queries: np.ndarray, found: np.ndarray, query_classes: np.ndarray, classes: np.ndarray) -> float:
    """Return the mean over the queries of the average precision of their class among all items.

    Among items with the same score, those of the class come last, so ties count against the query.
    """
    total = 0.0
    for first, scores in _blocks(queries, found):
        matching = query_classes[first : first + len(scores), None] == classes
        order = np.lexsort((matching, -scores), axis=1)
        matching = np.take_along_axis(matching, order, axis=1)
        precision = np.cumsum(matching, axis=1) / np.arange(1, len(found) + 1)
        total += float(((precision * matching).sum(axis=1) / np.maximum(matching.sum(axis=1), 1)).sum())
    return total / len(queries)


def _blocks(queries: np.ndarray, found: np.ndarray) -> Any:
    n = max(1, _BLOCK // max(len(found), 1))
    for first in range(0, len(queries), n):
        with np.errstate(over="ignore", invalid="ignore"):
            scores = queries[first : first + n] @ found.T
        if not np.isfinite(scores).all():
            raise InputError("the vectors are too long, so their products overflow; scale them to length 1")
        yield first, scores


def _summary(way: str, ranks: np.ndarray) -> dict[str, float]:
    recalls = {f"{way}_recall@{k}": float((ranks <= k).mean()) for k in _RECALLS}
    return {**recalls, f"{way}_median_rank": float(np.median(ranks)), f"{way}_mean_rank": float(ranks.mean())}


def _first_of(subjects: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the first position of each wanted subject."""
    known, first = np.unique(subjects, return_index=True)
    return first[np.searchsorted(known, wanted)]
