"""Suggestions and searches, block by block, without a matrix of all images by all labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import numpy as np

from vsenumba.data.annotation.absences import Absences
from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.pairs import changed_structure
from vsenumba.data.matches import Match, not_finite
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.kernels.gate import lent, writable
from vsenumba.kernels.threads import one_blas_thread
from vsenumba.kernels.top_k import EXCLUDED, exclude, top_k
from vsenumba.models.questions import NO_LIMITS, Limits, Question, Scores, about_vectors, warn_of_unknown

# Number of scores in a block, 4 MB. They stay in the CPU's cache from the matrix product to the choice of the best.
_BLOCK_CELLS = 1 << 20
# Minimum number of images in a block. Every block reads all label vectors from memory, so small blocks are slow ...
_LEAST_IMAGES = 64
# ... but a block never has more scores than this, 32 MB, however many labels there are.
_MOST_CELLS = 1 << 23
# Maximum number of images in a block, because their vectors are in memory at once.
_BLOCK_IMAGES = 65_536
# Number of blocks to finish before the first is returned.
_BLOCKS_AT_A_TIME = 32

# A GPU finds the best labels one after another. For longer lists, the CPU is faster.
_MOST_ELSEWHERE = 100

T = TypeVar("T")


class Best(NamedTuple):
    """The best labels of some images of a question.

    Attributes
    ----------
    places : slice
        Range within the question's rows.
    columns : (b, n) int32 array
        Label columns, best first; padded with -1.
    scores : (b, n) float32 array
        Scores of these labels; padded with minus infinity.
    """

    places: slice
    columns: np.ndarray
    scores: np.ndarray


def best_labels(question: Question, n: int, limits: Limits, label_names: Vocabulary, n_threads: int) -> Iterator[Best]:
    """Yield the best labels of a question's images, block by block, in order.

    Parameters
    ----------
    question : Question
        The images. Known labels and verified absences are left out.
    n : int
        Maximum number of labels for each image.
    limits : Limits
        Limits on the labels.
    label_names : Vocabulary
        Names of the labels.
    n_threads : int
        Number of blocks to process at once.

    Yields
    ------
    Best
        The best labels of some images.

    Raises
    ------
    InputError
        If a score is NaN or infinite; the message names the label.
    """
    scored, left_out = _divided(limits.labels, len(label_names))
    width = len(label_names) if scored is None else len(scored)
    places = np.arange(len(label_names), dtype=np.int32)
    if scored is not None:
        places[:] = -1
        places[scored] = np.arange(width, dtype=np.int32)
    known = question.known
    settled = [(lent(one.indptr), lent(one.indices)) for one in (known, known.absent) if one is not None]

    elsewhere = getattr(question.scores, "scores_on_device", None)
    # For a few labels, the CPU is done before their vectors have reached another device.
    on_device = elsewhere(known) if elsewhere is not None and scored is None and n <= _MOST_ELSEWHERE else None
    if on_device is not None:
        chooser = on_device.chooser(settled, left_out)
        step = chooser.images_at_once
        n_rows = len(question.rows)
        blocks = [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]
        return in_turn(lambda some: _chosen(question, chooser, some, n, limits, label_names), blocks, 1)

    def best_of(some: slice) -> Best:
        block, knows = question.rows[some], question.knows[some]
        columns = np.full((len(block), min(n, width)), -1, np.int32)
        best = Best(some, columns, np.full(columns.shape, -np.inf, np.float32))
        if not (width and knows.any()):
            return best
        table = scores_of(question.scores, known, block, slice(None) if scored is None else scored, width)
        for pairs in settled:
            if exclude(table, places, block, *pairs) != EXCLUDED:
                raise changed_structure("indptr or indices")
        table[:, left_out] = -np.inf
        table[~knows] = -np.inf
        odd = np.empty(len(block), np.int64)
        top_k(table, limits.floor, columns, best.scores, odd)
        for line in np.flatnonzero(odd >= 0)[:1]:
            place = odd[line]
            raise not_finite(label_names[int(place if scored is None else scored[place])], table[line, place])
        if scored is not None:
            columns[columns >= 0] = scored[columns[columns >= 0]]
        return best

    return in_turn(best_of, blocks_of(len(question.rows), width), n_threads)


def blocks_to_suggest(question: Question, limits: Limits, n_labels: int) -> list[slice]:
    """Return the blocks of a question's images that `best_labels` processes."""
    scored, _ = _divided(limits.labels, n_labels)
    return blocks_of(len(question.rows), n_labels if scored is None else len(scored))


def _chosen(question: Question, chooser: Any, some: slice, n: int, limits: Limits, label_names: Vocabulary) -> Best:
    """Return the best labels of some images, chosen on another device."""
    block, knows = question.rows[some], question.knows[some]
    columns = np.full((len(block), min(n, len(label_names))), -1, np.int32)
    best = Best(some, columns, np.full(columns.shape, -np.inf, np.float32))
    odd = np.full(len(block), -1, np.int64)
    if knows.any():
        chooser.choose(block, limits.floor, columns, best.scores, odd)
    for line in np.flatnonzero((odd >= 0) & knows)[:1]:
        raise not_finite(label_names[int(odd[line])], best.scores[line, 0])
    columns[~knows], best.scores[~knows] = -1, -np.inf
    return best


def _divided(labels: np.ndarray | None, n_labels: int) -> tuple[np.ndarray | None, np.ndarray]:
    """Return the labels to score, or None for all, and the labels whose scores to drop afterwards.

    A few labels are scored alone. For most of the labels, gathering their vectors for each block would take longer than
    the products that this saves.
    """
    nothing = np.zeros(0, np.int64)
    if labels is None:
        return None, nothing
    if 2 * len(labels) <= n_labels:
        return labels, nothing
    return None, np.setdiff1d(np.arange(n_labels), labels)


def scores_of(
    scores: Scores, known: AnnotationSet, rows: np.ndarray, labels: slice | np.ndarray, width: int
) -> np.ndarray:
    """Return scores that kernels may read and change, after checking their shape."""
    table = np.ascontiguousarray(scores.score_block(known, rows, labels), dtype=np.float32)
    return writable("the model's scores", table, (len(rows), width))


def as_matches(best: Best, label_names: Vocabulary) -> list[list[Match]]:
    """Return the best labels of images by name."""
    listed = best.columns >= 0
    names = label_names.take(best.columns[listed].astype(np.int64)).tolist()
    matches = list(map(Match, names, best.scores[listed].tolist()))
    ends = np.cumsum(listed.sum(axis=1)).tolist()
    return [matches[begin:end] for begin, end in zip([0, *ends[:-1]], ends, strict=True)] if ends else []


def labels_of_vectors(
    scores: Scores, n_images: int, n: int, label_names: Vocabulary, n_threads: int
) -> list[list[Match]]:
    """Return the best labels of images that are given by their vectors alone; see `best_labels`."""
    question = about_vectors(scores, n_images, label_names)
    warn_of_unknown(question.unknown, stacklevel=4)
    best = best_labels(question, n, NO_LIMITS, label_names, n_threads)
    return [matches for block in best for matches in as_matches(block, label_names)]


def image_scores(scores: Scores, known: AnnotationSet, columns: np.ndarray, n_threads: int) -> np.ndarray:
    """Return the mean score of some labels for every image of a set, (n_images,) float32.

    The score is minus infinity for images about which nothing is known.
    """
    rows = np.arange(known.n_images)

    def of(some: slice) -> np.ndarray:
        table = scores_of(scores, known, rows[some], columns, len(columns))
        means = table[:, 0] if len(columns) == 1 else table.mean(axis=1)
        means[~scores.knows(known, rows[some])] = -np.inf
        return means

    return np.concatenate([np.zeros(0, np.float32), *in_turn(of, blocks_of(len(rows), len(columns)), n_threads)])


def may_be_found(known: AnnotationSet, columns: np.ndarray, include_known: bool) -> np.ndarray:
    """Return the images that a search for some labels may return, (n_images,) bool.

    Images for which one of the labels is a verified absence may not be returned. Images that have all of the labels may
    only be returned if `include_known` is True.
    """
    may = np.ones(known.n_images, bool)
    if not include_known:
        may &= _counts_of(known, columns) < len(columns)
    if known.absent is not None:
        may &= _counts_of(known.absent, columns) == 0
    return may


def _counts_of(pairs: AnnotationSet | Absences, columns: np.ndarray) -> np.ndarray:
    """Return how many of some labels each image has, (n_images,) int64."""
    found = np.flatnonzero(pairs.indices == columns[0] if len(columns) == 1 else np.isin(pairs.indices, columns))
    rows = np.searchsorted(pairs.indptr, found, side="right") - 1
    return np.bincount(rows, minlength=len(pairs.indptr) - 1)


def blocks_of(n_images: int, n_labels: int) -> list[slice]:
    """Return slices of images, such that the scores of one slice for `n_labels` labels fit into memory.

    The slices do not depend on the number of threads, because matrix products of other shapes may round differently.
    """
    n_labels = max(n_labels, 1)
    step = min(_BLOCK_IMAGES, max(_LEAST_IMAGES, _BLOCK_CELLS // n_labels), max(1, _MOST_CELLS // n_labels))
    return [slice(start, min(start + step, n_images)) for start in range(0, n_images, step)]


def in_turn(work: Callable[[slice], T], blocks: Sequence[slice], n_threads: int) -> Iterator[T]:
    """Yield the results of `work` for blocks, in order, with several blocks in progress at once.

    Only a few blocks are computed ahead. A caller that consumes the results slowly, such as one that writes a file,
    does not fill the memory.
    """
    for start in range(0, len(blocks), _BLOCKS_AT_A_TIME):
        some = blocks[start : start + _BLOCKS_AT_A_TIME]
        if len(blocks) == 1 and n_threads > 1:
            done = [work(some[0])]  # with all threads of BLAS
        else:
            with one_blas_thread(), ThreadPoolExecutor(min(n_threads, len(some))) as pool:
                done = list(pool.map(work, some))
        # Yield outside the `with` block, so that no lock is held while the caller runs.
        yield from done
