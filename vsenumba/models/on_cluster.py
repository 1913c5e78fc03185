"""Queries on the workers of a Dask cluster: what is sent, what a worker computes, and what it returns.

Images are sent in parts. Each part is a whole number of the blocks that one machine would process, so workers multiply
matrices of the same shapes, and their results are identical to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from vsenumba.cluster.places import check_seen_by, places_of
from vsenumba.cluster.turn import part_from_arrays, part_to_arrays
from vsenumba.cluster.workers import check_client
from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.pairs import gather_rows
from vsenumba.data.backbone_id import BackboneId
from vsenumba.data.matches import best_places
from vsenumba.data.vocabulary import NAME_DTYPE, Vocabulary
from vsenumba.errors import InputError
from vsenumba.evaluation.blocks import Counted, Ranked, count_blocks
from vsenumba.kernels.threads import thread_count
from vsenumba.models.questions import Limits, Question
from vsenumba.models.similar import image_cosines
from vsenumba.models.suggesting import (
    Best,
    best_labels,
    blocks_of,
    blocks_to_suggest,
    image_scores,
    in_turn,
    may_be_found,
)
from vsenumba.models.travelling import answers, model_of


def _images_of(client: Any, model: Any, data: AnnotationSet, rows: np.ndarray) -> Callable[[slice], dict[str, Any]]:
    """Return a function that packs the images of a slice for sending; `_received` unpacks them.

    Features are left out if the model does not use them. Workers read large features from files themselves. Other
    features on disk are read when a part is sent.
    """
    check_client(client)
    if data.features is not None and not model.uses_features:
        data = data.with_features(None)
    places = None if data.features is None else places_of(data.features)
    if places and len(places) > 1 and (np.diff(rows) <= 0).any():
        places = None  # rows of several files can only be read in ascending order
    check_seen_by(client, places or [])
    backbone = None if data.backbone is None else dict(data.backbone._asdict())

    def made(some: slice) -> dict[str, Any]:
        ids = data.image_ids.take(rows[some]).tolist()
        return part_to_arrays(data, rows[some], places) | {"ids": ids, "backbone": backbone}

    return made


def _received(shared: Mapping[str, Any], part: Mapping[str, Any]) -> tuple[Any, AnnotationSet]:
    """Return the model and the images of a part; runs on a worker."""
    model = model_of(shared)
    ids = Vocabulary.of_distinct(np.array(part["ids"], dtype=NAME_DTYPE), "image")
    backbone = None if part["backbone"] is None else BackboneId(**part["backbone"])
    names = {"image_ids": ids, "label_names": model.label_names_, "backbone": backbone}
    return model, part_from_arrays(part, len(model.label_names_), **names)


def count_on_cluster(client: Any, model: Any, asked: Ranked, n_threads: int | None) -> Counted:
    """Count ranks on a cluster; the result is that of `vsenumba.evaluation.blocks.count_blocks`."""
    offsets, excluded = asked.excluded
    step, n, n_labels = asked.images_at_once, len(asked.rows), asked.known.n_labels

    images = _images_of(client, model, asked.known, asked.rows)

    def made(some: slice) -> dict[str, Any]:
        begin, end = asked.indptr[some.start], asked.indptr[some.stop]
        ranked = {"offsets": asked.indptr[some.start : some.stop + 1] - begin, "labels": asked.labels[begin:end]}
        ranked["excluded"] = gather_rows(offsets, excluded, asked.rows[some], n_labels)
        return images(some) | ranked

    told = {"longest": asked.longest, "images_at_once": step, "n_threads": n_threads}
    blocks = [slice(start, min(start + step, n)) for start in range(0, n, step)]
    counts, status = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    best = np.full(n_labels, np.iinfo(np.int64).max)
    for _, found in answers(client, model, count_in_part, blocks, made, told):
        counts.append(found["counts"])
        status.append(found["status"])
        np.minimum(best, found["best_places"], out=best)
    return Counted(np.concatenate(counts), np.concatenate(status), best)


def count_in_part(shared: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Count the ranks of a part; runs on a worker."""
    model, known = _received(shared, part)
    rows, excluded = np.arange(known.n_images), tuple(part["excluded"])
    asked = Ranked(
        known, rows, part["offsets"], part["labels"], excluded, shared["longest"], shared["images_at_once"]
    )  # fmt: skip
    return count_blocks(model, asked, thread_count(shared["n_threads"]))._asdict()


def suggest_on_cluster(client: Any, model: Any, question: Question, n: int, limits: Limits) -> Iterator[Best]:
    """Return an iterator over the results of `vsenumba.models.suggesting.best_labels`, in larger blocks.

    Raises
    ------
    InputError
        If the question is about new images that are not a set.
    """
    blocks = blocks_to_suggest(question, limits, len(model.label_names_))
    if question.scores is not model:
        raise InputError(
            "with a client, images must be a set, or ids of training images; create a set of new images with "
            "AnnotationSet.from_lists, and add features with with_features"
        )
    told = {"n": n, "only": limits.labels, "floor": float(limits.floor)}
    images = _images_of(client, model, question.known, question.rows)

    def made(some: slice) -> dict[str, Any]:
        return images(some) | {"knows": question.knows[some]}

    found = answers(client, model, suggest_in_part, blocks, made, told)
    return (Best(some, *best) for some, best in found)


def suggest_in_part(shared: Mapping[str, Any], part: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return the best labels of a part's images, and their scores; runs on a worker."""
    model, known = _received(shared, part)
    question = Question(known, np.arange(known.n_images), model, part["knows"])
    limits = Limits(shared["only"], np.float32(shared["floor"]))
    found = list(best_labels(question, shared["n"], limits, model.label_names_, model._asking_threads))
    return np.concatenate([one.columns for one in found]), np.concatenate([one.scores for one in found])


def best_images_on_cluster(
    client: Any, model: Any, known: AnnotationSet, n: int, told: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the candidates for the n best images, and their scores, in the order of the images.

    Parameters
    ----------
    client, model : distributed.Client, Annotator
        The cluster and the model.
    known : AnnotationSet
        The images to search.
    n : int
        Number of images that each part returns.
    told : mapping
        ``"columns"``, ``"include_known"`` and ``"floor"`` to score by labels; or ``"vector"`` to score by the cosine
        with it.

    Returns
    -------
    (m,) int64 array, (m,) float32 array
        Rows of `known`, and their scores.
    """
    width = len(told["vector"] if "vector" in told else told["columns"])
    blocks, made = blocks_of(known.n_images, width), _images_of(client, model, known, np.arange(known.n_images))
    places, scores = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
    for some, (its_places, its_scores) in answers(client, model, search_part, blocks, made, {**told, "n": n}):
        places.append(some.start + its_places)
        scores.append(its_scores)
    return np.concatenate(places), np.concatenate(scores)


def search_part(shared: Mapping[str, Any], part: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return the best images of a part, in their order, and their scores; runs on a worker."""
    model, known = _received(shared, part)
    scores = searched_scores(model, known, shared)
    places = np.sort(best_places(scores, shared["n"], known.image_ids))
    return places, scores[places]


def searched_scores(model: Any, known: AnnotationSet, told: Mapping[str, Any]) -> np.ndarray:
    """Return the scores of a search, (n_images,) float32; minus infinity for images that may not be returned.

    See `best_images_on_cluster`.
    """
    if "vector" in told:
        return image_cosines(model._vectors, known, told["vector"], model._asking_threads)
    scores = image_scores(model, known, told["columns"], model._asking_threads)
    scores[~may_be_found(known, told["columns"], told["include_known"])] = -np.inf
    scores[scores <= np.float32(told["floor"])] = -np.inf
    return scores


def embedded(model: Any, known: AnnotationSet, n_threads: int) -> Iterator[tuple[slice, np.ndarray]]:
    """Return an iterator over slices of a set's images, in order, and their vectors, float32."""
    rows, blocks = np.arange(known.n_images), blocks_of(known.n_images, model.label_factors_.shape[1])
    return zip(blocks, in_turn(lambda some: model._vectors(known, rows[some]), blocks, n_threads), strict=True)


def embed_on_cluster(client: Any, model: Any, known: AnnotationSet) -> Iterator[tuple[slice, np.ndarray]]:
    """Return an iterator over the results of `embedded`, in larger slices."""
    blocks = blocks_of(known.n_images, model.label_factors_.shape[1])
    made = _images_of(client, model, known, np.arange(known.n_images))
    return answers(client, model, embed_part, blocks, made, {})


def embed_part(shared: Mapping[str, Any], part: Mapping[str, Any]) -> np.ndarray:
    """Return the vectors of a part's images; runs on a worker."""
    model, known = _received(shared, part)
    return np.concatenate([vectors for _, vectors in embedded(model, known, model._asking_threads)])
