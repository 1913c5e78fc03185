"""Full-ranking evaluation, block by block: no matrix of all images by all labels is ever made."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from vsenumba.checks import RandomLike, seed_sequence
from vsenumba.data.annotation.absences import left_out_absences
from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.coercion import as_annotation_set, matched_or_new
from vsenumba.data.annotation.pairs import gather_rows, merged
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError, unknown_name
from vsenumba.evaluation.counting import FINE, NOT_FINITE, count_at_least, list_top
from vsenumba.evaluation.known_labels import with_known_labels
from vsenumba.evaluation.metrics import parse_metrics
from vsenumba.evaluation.ranks import Ranks, ranks_of
from vsenumba.evaluation.scorer import Scorer
from vsenumba.evaluation.scores import Scores, defined_mean
from vsenumba.kernels.gate import below, readable, segments
from vsenumba.kernels.threads import one_blas_thread, thread_count

# Scores of one block: they stay in the processor's cache from the matrix product to the count.
BLOCK_BYTES = 4 * 2**20
# With fewer images a matrix product waits for the label factors, which it reads from memory once a block ...
LEAST_IMAGES = 64
# ... but more than this the allocator asks of the system anew for every block, page by page.
MOST_BLOCK_BYTES = 32 * 2**20
# So many blocks if they have images enough, so that every thread has its share.
LEAST_BLOCKS = 16
# Scores of all the blocks in work.
MEMORY_BYTES = 256 * 2**20


def evaluate(
    model: Scorer,
    test: Any,
    *,
    exclude: Any,
    metrics: Iterable[str] = ("recall@5", "recall@10", "mrr", "auc"),
    n_threads: int | None = None,
    max_images: int | None = None,
    rng: RandomLike = None,
) -> Scores:
    """Rank all labels for every test image and say how well its test labels stand.

    A test label's rank is 1, and the number of candidates that are not test labels of the image and score at least as
    high, and the number of the image's other test labels that score higher, or the same and come before it: ties count
    against the model, except those among test labels, whose order says nothing. Candidates are all labels of the model
    but the excluded, and but the image's verified absences in `test` and `exclude`: nobody asks for these, and where a
    label is both an absence and a test label, it is that. For the formulas see `vsenumba.evaluation.metrics`.

    Parameters
    ----------
    model : Scorer
        A fitted model.
    test : AnnotationSet, matrix or list of label lists
        The pairs to find; images with no pair are left out. Labels are matched to the model's by name, images to those
        of `exclude` by id; the columns of a matrix are the model's labels in order, its rows the images of `exclude` in
        order. Pairs whose label the model does not know are left out, here and in `exclude`.
    exclude : AnnotationSet, matrix, list of label lists or None
        The pairs that are known, as a rule the training set: their labels are not ranked, and they are what a
        model that represents an image by its labels may look at. None ranks all labels.
    metrics : sequence of str
        ``"precision@k"``, ``"recall@k"``, ``"ndcg@k"``, ``"ap@k"``, ``"map_cut@k"``, ``"coverage@k"`` (the share of
        all labels that stand in the top k of at least one image: at most k candidates score at least as high) with any
        k of at least 1; ``"map"``, ``"mrr"``, ``"auc"``.
    n_threads : int, optional
        Blocks ranked at once; as many as Numba has threads where left out.
    max_images : int, optional
        Evaluate a random sub-sample of that many images.
    rng : int, Generator, SeedSequence or None
        For the sub-sample.

    Returns
    -------
    Scores
        The means, the values per image, and how many and which images they are over.

    Raises
    ------
    UnknownNameError
        If a metric is not known.
    InputError
        If the test set has no pair, or none with a label that the model knows, shares a pair with `exclude`, or does
        not fit in shape; if none of its images is known to the model or `exclude`; or if the model's scores are not
        finite.

    Warns
    -----
    UserWarning
        If pairs are left out because the model does not know their label, if some images are known neither to the
        model nor to `exclude`, or if some test pairs were trained on.

    Examples
    --------
    >>> import vsenumba as vse
    >>> train, test = vse.leave_one_out(vse.load_dataset("openclipart"), rng=0)
    >>> model = vse.ImageAnnotator(n_epochs=1, random_state=0).fit(train)
    >>> scores = vse.evaluate(model, test, exclude=train, metrics=("mrr",))
    >>> 0 < scores.mean["mrr"] < 1
    True
    """
    wanted = parse_metrics(metrics)
    names = model.label_names
    image_ids = getattr(model, "image_ids_", None)
    excluded = None if exclude is None else _as_set("exclude", exclude, test, names, image_ids)
    if excluded is not None:
        excluded, _ = with_known_labels(excluded, names, "exclude")
    test, n_left_out = with_known_labels(_as_set("test", test, exclude, names, image_ids), names, "test")
    test = model.align(test)
    known = model.known_for(test, excluded)
    shape = (test.n_images, len(model.label_names))
    if not test.shape == known.shape == shape:
        raise InputError(
            f"the test set is {test.shape} and what is known is {known.shape}, expected {shape} (images by "
            "labels); did you pass the transpose?"
        )
    rows = _rows_to_evaluate(test, max_images, rng)
    _check_images(model, test, excluded, known, rows)
    _warn_of_seen_pairs(getattr(model, "seen_", None), test, excluded)
    longest = max((m.k for m in wanted if m.family == "coverage" and m.k), default=0)
    ranks, best_places = _rank(
        model,
        test,
        known,
        rows,
        exclude=exclude is not None,
        longest=longest,
        n_threads=thread_count(n_threads),
    )
    per_image = {m.name: m.per_image(ranks) for m in wanted if m.family != "coverage"}
    mean = {
        m.name: float((best_places <= m.k).mean()) if m.family == "coverage" else defined_mean(per_image[m.name])
        for m in wanted
    }
    return Scores(mean, per_image, len(rows), rows, n_left_out)


def _images_per_block(n_images: int, n_labels: int) -> int:
    """Return how many images to score at once, whatever the threads: products of other shapes may round differently."""
    most = MOST_BLOCK_BYTES // (4 * n_labels)
    cached = BLOCK_BYTES // (4 * n_labels)
    share = -(-n_images // LEAST_BLOCKS)
    return max(1, min(most, max(LEAST_IMAGES, min(cached, share))))


def _rank(
    model: Scorer,
    test: AnnotationSet,
    known: AnnotationSet,
    rows: np.ndarray,
    *,
    exclude: bool,
    longest: int,
    n_threads: int,
) -> tuple[Ranks, np.ndarray]:
    """Return the ranks, and each label's best place in any image's top `longest` (int64, from 1), ties against it."""
    n_labels = test.n_labels
    indptr, labels = gather_rows(test.indptr, test.indices, rows, n_labels)
    known_labels = below("the indices of what is known", known.indices, n_labels)
    offsets_of = segments("the indptr of what is known", known.indptr, len(known_labels), known.n_images)
    excluded = offsets_of if exclude else np.zeros_like(offsets_of), known_labels
    if absent := left_out_absences(test, known if exclude else None):
        excluded = merged(*excluded, absent.indptr, absent.indices, n_labels)
    counts = np.empty(len(labels), dtype=np.int64)
    status = np.empty(len(rows), dtype=np.int64)
    size = _images_per_block(len(rows), n_labels)

    def rank_block(begin: int) -> tuple[np.ndarray, np.ndarray]:
        """Count for some images' test labels, and return their top lists and the places in these."""
        block = rows[begin : begin + size]
        scores = np.ascontiguousarray(model.score_block(known, block), dtype=np.float32)
        if scores.shape != (len(block), n_labels):
            raise InputError(f"the model's scores have shape {scores.shape}; expected {(len(block), n_labels)}")
        scores = readable("the model's scores", scores, scores.shape)
        offsets = indptr[begin : begin + len(block) + 1]
        count_at_least(scores, block, offsets, labels, *excluded, counts, status[begin : begin + len(block)])
        # One more than is asked for: where the last ones tie, it shows whether others do.
        top = np.full((len(block), min(longest + 1, n_labels) if longest else 0), -1, dtype=np.int64)
        places = np.zeros_like(top)
        if longest:
            list_top(scores, block, *excluded, top, places)
        return top, places

    best_places = np.full(n_labels, np.iinfo(np.int64).max)
    n_threads = max(1, min(n_threads, MEMORY_BYTES // (4 * n_labels * size)))
    # Each thread has a block, product and count, to itself: see `vsenumba.evaluation.counting`.
    with one_blas_thread(), ThreadPoolExecutor(n_threads) as pool:
        for top, places in pool.map(rank_block, range(0, len(rows), size)):
            listed = top >= 0
            np.minimum.at(best_places, top[listed], places[listed])
    _check_status(status, test, rows)
    n_candidates = n_labels - np.diff(excluded[0])[rows]
    return Ranks(indptr, ranks_of(indptr, counts, n_labels), n_candidates, n_labels), best_places


def _rows_to_evaluate(test: AnnotationSet, max_images: int | None, rng: RandomLike) -> np.ndarray:
    """Return the rows of the images with a test label, or of a random sub-sample of them, rising, int64."""
    rows = np.flatnonzero(test.labels_per_image)
    if not len(rows):
        raise InputError(f"the test set has no pair, in {test.n_images:,} images; nothing can be evaluated")
    if max_images is None:
        return rows
    if not isinstance(max_images, (int, np.integer)) or isinstance(max_images, bool) or max_images < 1:
        raise InputError(f"max_images must be a whole number of at least 1 or None, not {max_images!r}")
    if max_images >= len(rows):
        return rows
    generator = np.random.default_rng(seed_sequence(rng))
    return np.sort(generator.choice(rows, size=int(max_images), replace=False))


def _check_images(
    model: Scorer, test: AnnotationSet, excluded: AnnotationSet | None, known: AnnotationSet, rows: np.ndarray
) -> None:
    """Refuse test images of which nothing is known, as where ids were read as other text; warn of some of them."""
    if known.features is not None and getattr(model, "uses_features", False):
        return
    vocabularies = [getattr(excluded, "image_ids", None), getattr(model, "image_ids_", None)]
    sources = [one for one in vocabularies if one is not None]
    unknown = np.full(len(rows), bool(sources))
    for source in sources:
        same = source is test.image_ids or source == test.image_ids
        unknown &= False if same else source.find(test.image_ids.take(rows)) < 0
        if not unknown.any():
            break
    if unknown.any():
        ids = test.image_ids.take(rows[unknown])
        examples = "; ".join(str(unknown_name("image", name, sources[0])) for name in ids[:2])
        if unknown.all():
            raise InputError(f"no image of the test set is known to the model or to exclude: {examples}")
        warnings.warn(
            f"{len(ids):,} of {len(rows):,} test images are known neither to the model nor to exclude, so that their "
            f"labels are ranked without a clue: {examples}",
            UserWarning,
            stacklevel=3,
        )
    elif hasattr(model, "knows") and not model.knows(known, rows).any():
        raise InputError(
            f"the model knows nothing of any test image, such as {test.image_ids[int(rows[0])]!r}: neither a label by "
            "what is excluded, nor a row that was trained"
        )


def _warn_of_seen_pairs(seen: AnnotationSet | None, test: AnnotationSet, excluded: AnnotationSet | None) -> None:
    """Say how many test pairs a model was trained on: it ranks them better than it would others."""
    # What is excluded is no test pair: that is checked while ranks are counted.
    if seen is None or (excluded is not None and _same_pairs(seen, excluded)):
        return
    if test.image_ids == Vocabulary.numbered(test.n_images, "image"):
        return  # Images without ids of their own, as those of a matrix: the same numbers need not mean the same images.
    rows, columns = test.pairs()
    seen_rows, seen_columns = seen.reindex_images(test.image_ids).pairs()
    n_labels = test.n_labels
    again = np.isin(rows * n_labels + columns, seen_rows * n_labels + seen_columns, assume_unique=True)
    if again.any():
        warnings.warn(
            f"the model was trained on {again.sum():,} of the {test.n_pairs:,} test pairs, which flatters it; evaluate "
            "a model that was fitted without them",
            UserWarning,
            stacklevel=3,
        )


def _same_pairs(one: AnnotationSet, other: AnnotationSet) -> bool:
    return one is other or (
        one.shape == other.shape
        and np.array_equal(one.indices, other.indices)
        and np.array_equal(one.indptr, other.indptr)
        and one.image_ids == other.image_ids
        and one.label_names == other.label_names
    )


def _as_set(
    argument: str, data: Any, other: Any, label_names: Vocabulary, image_ids: Vocabulary | None
) -> AnnotationSet:
    """Return `data` as a set; a matrix takes the model's labels and the other's images, or the model's, or new ones."""
    if isinstance(data, AnnotationSet):
        return data
    made = _made(argument, data, other, label_names)
    return made if image_ids is None or isinstance(other, AnnotationSet) else matched_or_new(made, image_ids)


def _made(argument: str, data: Any, other: Any, label_names: Vocabulary) -> AnnotationSet:
    shape = getattr(data, "shape", None)
    # The columns of a data frame have names.
    if shape is None or len(shape) != 2 or hasattr(data, "columns"):
        return as_annotation_set(data, argument)
    if shape[1] != len(label_names):
        raise InputError(
            f"{argument} has shape {tuple(shape)}, but the model has {len(label_names):,} labels, one per "
            "column; did you pass the transpose?"
        )
    n_others = other.shape[0] if hasattr(other, "shape") else shape[0]
    if shape[0] != n_others:
        raise InputError(
            f"{argument} has {shape[0]:,} rows, but the other of test and exclude has {n_others:,}; a matrix "
            "needs one row per image in the same order; did you pass the transpose?"
        )
    image_ids = other.image_ids if isinstance(other, AnnotationSet) else None
    return AnnotationSet.from_csr(data, image_ids, label_names)


def _check_status(status: np.ndarray, test: AnnotationSet, rows: np.ndarray) -> None:
    bad = np.flatnonzero(status != FINE)
    if len(bad):
        image = test.image_ids[int(rows[bad[0]])]
        if status[bad[0]] == NOT_FINITE:
            raise InputError(f"the model's scores of image {image!r} hold NaN or inf; every score must be finite")
        raise InputError(f"image {image!r} has a label both in test and in exclude; a pair must not be in both")
