"""Counting ranks block by block: the part of an evaluation that can run on any machine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.errors import InputError
from vsenumba.evaluation.counting import count_at_least, list_top
from vsenumba.evaluation.scorer import Counter
from vsenumba.kernels.gate import readable
from vsenumba.kernels.threads import one_blas_thread

# Size of the scores of all blocks in progress.
MEMORY_BYTES = 256 * 2**20


class Ranked(NamedTuple):
    """Images whose test labels are to be ranked.

    Attributes
    ----------
    known : AnnotationSet
        The images with their known labels.
    rows : (n,) int64 array
        Rows of `known` to rank.
    indptr, labels : (n + 1,) int64 array, int32 array
        The test labels of these images, as CSR.
    excluded : (n_known + 1,) int64 array, int32 array
        The labels of each row of `known` that are not ranked, as CSR.
    longest : int
        Length of the longest top list; 0 if none is needed.
    images_at_once : int
        Number of images in a block. It is the same on every machine, because matrix products of other shapes may round
        differently.
    """

    known: AnnotationSet
    rows: np.ndarray
    indptr: np.ndarray
    labels: np.ndarray
    excluded: tuple[np.ndarray, np.ndarray]
    longest: int
    images_at_once: int


class Counted(NamedTuple):
    """The counts.

    Attributes
    ----------
    counts : (n_pairs,) int64 array
        Count of every test label; see `vsenumba.evaluation.counting.count_at_least`.
    status : (n,) int64 array
        Status of each image; see the same function.
    best_places : (n_labels,) int64 array
        Each label's best place in any image's top list, from 1. Ties count against the label.
    """

    counts: np.ndarray
    status: np.ndarray
    best_places: np.ndarray


def count_blocks(model: Any, asked: Ranked, n_threads: int) -> Counted:
    """Score images block by block, and count.

    Parameters
    ----------
    model : Scorer
        The model.
    asked : Ranked
        The images.
    n_threads : int
        Number of blocks to rank at once.

    Returns
    -------
    Counted
        The counts.

    Raises
    ------
    InputError
        If the model's scores have the wrong shape.
    """
    known, rows, indptr, labels, excluded, longest, size = asked
    n_labels = known.n_labels
    counts = np.empty(len(labels), dtype=np.int64)
    status = np.empty(len(rows), dtype=np.int64)
    # Use the model's device if it has one. Top lists are computed on the CPU, because they need the labels here.
    elsewhere = getattr(model, "scores_on_device", None)
    scored = elsewhere(known) if elsewhere is not None and not longest else None
    counter: Counter | None = None if scored is None else scored.counter(excluded)
    if counter is not None:
        size, n_threads = counter.images_at_once, 1

    def count_block(begin: int) -> tuple[np.ndarray, np.ndarray]:
        """Count for some images' test labels; return their top lists, and the places in these lists."""
        block = rows[begin : begin + size]
        if counter is not None:
            offsets = indptr[begin : begin + len(block) + 1]
            counter.count(block, offsets, labels, counts, status[begin : begin + len(block)])
            return np.zeros((0, 0), np.int64), np.zeros((0, 0), np.int64)
        scores = np.ascontiguousarray(model.score_block(known, block), dtype=np.float32)
        if scores.shape != (len(block), n_labels):
            raise InputError(f"the model's scores have shape {scores.shape}; expected {(len(block), n_labels)}")
        scores = readable("the model's scores", scores, scores.shape)
        offsets = indptr[begin : begin + len(block) + 1]
        count_at_least(scores, block, offsets, labels, *excluded, counts, status[begin : begin + len(block)])
        # One label more than needed, to see whether the last label ties with one outside the list.
        top = np.full((len(block), min(longest + 1, n_labels) if longest else 0), -1, dtype=np.int64)
        places = np.zeros_like(top)
        if longest:
            list_top(scores, block, *excluded, top, places)
        return top, places

    best_places = np.full(n_labels, np.iinfo(np.int64).max)
    n_threads = max(1, min(n_threads, MEMORY_BYTES // (4 * n_labels * size)))
    # Each thread processes one block alone, the matrix product and the count; see `vsenumba.evaluation.counting`.
    with one_blas_thread(), ThreadPoolExecutor(n_threads) as pool:
        for top, places in pool.map(count_block, range(0, len(rows), size)):
            listed = top >= 0
            np.minimum.at(best_places, top[listed], places[listed])
    return Counted(counts, status, best_places)
