"""Evaluation over the full ranking, block by block, without a matrix of all images by all labels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from vsenumba.checks import RandomLike, check_choice, seed_sequence
from vsenumba.data.annotation.absences import left_out_absences
from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.pairs import gather_rows, merged
from vsenumba.errors import InputError
from vsenumba.evaluation.blocks import Ranked, count_blocks
from vsenumba.evaluation.counting import FINE, NOT_FINITE
from vsenumba.evaluation.grouping import BY, check_grouped, group_scores
from vsenumba.evaluation.known_labels import with_known_labels
from vsenumba.evaluation.matching import check_images, matched_set, warn_of_seen_pairs
from vsenumba.evaluation.metrics import Metric, parse_metrics
from vsenumba.evaluation.propensity import DEFAULT_A_B, checked_a_b, inverse_propensities
from vsenumba.evaluation.ranks import Floats, Ranks, ranked_order, ranks_of
from vsenumba.evaluation.scorer import Scorer
from vsenumba.evaluation.scores import Scores, defined_mean
from vsenumba.evaluation.training_counts import training_set
from vsenumba.kernels.gate import below, segments
from vsenumba.kernels.threads import thread_count

if TYPE_CHECKING:
    from distributed import Client

# Size of the scores of one block. They stay in the CPU's cache from the matrix product to the count.
BLOCK_BYTES = 4 * 2**20
# Minimum number of images in a block. Every block reads all label factors from memory, so small blocks are slow ...
LEAST_IMAGES = 64
# ... but for larger blocks than this, the allocator requests new pages from the system every time.
MOST_BLOCK_BYTES = 32 * 2**20
# Minimum number of blocks, if there are enough images, so that every thread gets some.
LEAST_BLOCKS = 16


def evaluate(
    model: Scorer,
    test: Any,
    *,
    exclude: Any,
    metrics: Iterable[str] = ("recall@5", "recall@10", "mrr", "auc"),
    by: str | None = None,
    propensity: tuple[float, float] = DEFAULT_A_B,
    n_threads: int | None = None,
    max_images: int | None = None,
    rng: RandomLike = None,
    client: Client | None = None,
) -> Scores:
    """Evaluate a model: rank all labels for every test image, and compute metrics of the ranks of its test labels.

    The rank of a test label is 1, plus the number of candidates that are not test labels of the image and score at
    least as high, plus the number of the image's other test labels before it. Ties count against the model, except
    those among test labels, whose order does not matter.

    The candidates are all labels of the model, without

    - the labels that the image has in `exclude`,
    - the image's verified absences in `test` and `exclude`. A label that is both an absence and a test label counts as
      a test label.

    `vsenumba.evaluation.metrics` has the formulas.

    Parameters
    ----------
    model : Scorer
        A fitted model.
    test : AnnotationSet, matrix or list of label lists
        The pairs to find. Images without pairs are left out. Labels are matched to the model's by name, and images to
        those of `exclude` by id. The columns of a matrix are the model's labels in order, and its rows are the images
        of `exclude` in order. Pairs whose label the model does not know are left out, here and in `exclude`.
    exclude : AnnotationSet, matrix, list of label lists or None
        The known pairs, usually the training set. Their labels are not ranked, and models with labels as inputs use
        them to represent the images. None ranks all labels.
    metrics : sequence of str, default ("recall@5", "recall@10", "mrr", "auc")
        Metrics to compute, with any k of at least 1:

        - ``"precision@k"``, ``"recall@k"``, ``"ndcg@k"``, ``"ap@k"`` and ``"map_cut@k"``;
        - ``"map"``, ``"mrr"`` and ``"auc"``;
        - ``"psp@k"`` and ``"psndcg@k"``, which are propensity-scored: a hit counts more if its label has few training
          images;
        - ``"coverage@k"``: the share of all labels that are in the top k of at least one image.
    by : {"label", "popularity"}, optional
        Also compute the metrics of the test pairs by label, or by the number of training images of their label; see
        `GroupScores`. These are all metrics except psp@k, psndcg@k and coverage@k.
    propensity : (float, float), default (0.55, 1.5)
        The parameters A and B of the propensities; see `vsenumba.evaluation.propensity.inverse_propensities`. Training
        counts come from the model's ``seen_``, or from `exclude` for a model without it.
    n_threads : int, optional
        Number of blocks to rank at once; by default, the number of Numba's threads.
    max_images : int, optional
        Evaluate a random sample of this many images.
    rng : int, Generator, SeedSequence or None, default None
        Random seed of the sample.
    client : distributed.Client, optional
        Cluster whose workers share the work; see ``docs/how-to/cluster.md``. The result is the same. The model must be
        one of this package.

    Returns
    -------
    Scores
        The means, the values per image, the evaluated images, and the scores by label or by popularity.

    Raises
    ------
    UnknownNameError
        If a metric, or the value of `by`, does not exist.
    InputError
        If the evaluation is not possible, for example because

        - the test set has no pair whose label the model knows;
        - `test` and `exclude` share a pair, or their shapes do not match the model;
        - neither the model nor `exclude` contains any of the test images;
        - the scores of the model are not finite;
        - training counts are needed and there are none;
        - the model cannot be sent to a cluster.
    ClusterError
        If the cluster of `client` cannot do the work.

    Warns
    -----
    UserWarning
        If pairs are left out because the model does not know their label, if some images are neither in the model nor
        in `exclude`, or if the model was trained on some of the test pairs.

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
    a_b = checked_a_b(propensity)
    if client is not None and not hasattr(model, "count_on_cluster"):
        raise InputError(
            f"a {type(model).__name__} cannot be sent to a cluster; use client with models of this package only"
        )
    if by is not None:
        check_choice("by", by, BY)
        check_grouped(wanted, by)
    names = model.label_names
    image_ids = getattr(model, "image_ids_", None)
    excluded = None if exclude is None else matched_set("exclude", exclude, test, names, image_ids)
    if excluded is not None:
        excluded, _ = with_known_labels(excluded, names, "exclude")
    test, n_left_out = with_known_labels(matched_set("test", test, exclude, names, image_ids), names, "test")
    test = model.align(test)
    known = model.known_for(test, excluded)
    shape = (test.n_images, len(model.label_names))
    if not test.shape == known.shape == shape:
        raise InputError(
            f"the test set has the shape {test.shape} and the known labels {known.shape}, expected {shape} (images by "
            "labels); did you pass the transpose?"
        )
    rows = _rows_to_evaluate(test, max_images, rng)
    check_images(model, test, excluded, known, rows)
    warn_of_seen_pairs(getattr(model, "seen_", None), test, excluded)
    trained = None
    if by is not None or any(m.weighs for m in wanted):
        trained = training_set(model, excluded, next((m.name for m in wanted if m.weighs), f"by={by!r}"))
    longest = max((m.k for m in wanted if m.family == "coverage" and m.k), default=0)
    ranks, best_places = _rank(
        model,
        test,
        known,
        rows,
        exclude=exclude is not None,
        longest=longest,
        weights=None if trained is None else _weights(trained, wanted, a_b),
        n_threads=n_threads,
        client=client,
    )
    per_image = {m.name: m.per_image(ranks) for m in wanted if m.family != "coverage"}
    mean = {
        m.name: float((best_places <= m.k).mean()) if m.family == "coverage" else defined_mean(per_image[m.name])
        for m in wanted
    }
    groups = None
    if by is not None and trained is not None:
        groups = group_scores(ranks, wanted, by, names, trained.label_counts)
    return Scores(mean, per_image, len(rows), rows, n_left_out, groups)


def _weights(trained: AnnotationSet, wanted: Iterable[Metric], a_b: tuple[float, float]) -> Floats:
    """Return the weight of a hit of each label; zeros if only the training counts are needed."""
    if not any(m.weighs for m in wanted):
        return np.zeros(trained.n_labels)
    return inverse_propensities(trained.label_counts, trained.n_images, a_b)


def _images_per_block(n_images: int, n_labels: int) -> int:
    """Return the number of images to score at once; it does not depend on the threads, because rounding would."""
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
    weights: Floats | None,
    n_threads: int | None,
    client: Client | None,
) -> tuple[Ranks, np.ndarray]:
    """Return the ranks, and each label's best place in any top list of length `longest` (int64, from 1).

    Ties count against a label. With `weights`, the weights of hits, the ranks also contain their labels.
    """
    n_labels = test.n_labels
    indptr, labels = gather_rows(test.indptr, test.indices, rows, n_labels)
    known_labels = below("the indices of what is known", known.indices, n_labels)
    offsets_of = segments("the indptr of what is known", known.indptr, len(known_labels), known.n_images)
    excluded = offsets_of if exclude else np.zeros_like(offsets_of), known_labels
    if absent := left_out_absences(test, known if exclude else None):
        excluded = merged(*excluded, absent.indptr, absent.indices, n_labels)
    asked = Ranked(known, rows, indptr, labels, excluded, longest, _images_per_block(len(rows), n_labels))
    if client is None:
        counted = count_blocks(model, asked, thread_count(n_threads))
    else:
        counted = model.count_on_cluster(client, asked, n_threads)  # type: ignore[attr-defined]  # `evaluate` checks it
    counts, status, best_places = counted
    _check_status(status, test, rows)
    n_candidates = n_labels - np.diff(excluded[0])[rows]
    ranks = Ranks(indptr, ranks_of(indptr, counts, n_labels), n_candidates, n_labels)
    if weights is not None:
        order = ranked_order(indptr, counts, weights[labels])
        ranks = ranks._replace(labels=labels[order].astype(np.int64), weights=weights[labels][order])
    return ranks, best_places


def _rows_to_evaluate(test: AnnotationSet, max_images: int | None, rng: RandomLike) -> np.ndarray:
    """Return the rows of the images with a test label, or of a random sample of them, ascending, int64."""
    rows = np.flatnonzero(test.labels_per_image)
    if not len(rows):
        raise InputError(f"the test set has no pairs (in {test.n_images:,} images); there is nothing to evaluate")
    if max_images is None:
        return rows
    if not isinstance(max_images, (int, np.integer)) or isinstance(max_images, bool) or max_images < 1:
        raise InputError(f"max_images must be a whole number of at least 1 or None, not {max_images!r}")
    if max_images >= len(rows):
        return rows
    generator = np.random.default_rng(seed_sequence(rng))
    return np.sort(generator.choice(rows, size=int(max_images), replace=False))


def _check_status(status: np.ndarray, test: AnnotationSet, rows: np.ndarray) -> None:
    bad = np.flatnonzero(status != FINE)
    if len(bad):
        image = test.image_ids[int(rows[bad[0]])]
        if status[bad[0]] == NOT_FINITE:
            raise InputError(f"the model's scores of image {image!r} contain NaN or inf; every score must be finite")
        raise InputError(f"image {image!r} has a label both in test and in exclude; a pair must not be in both")
