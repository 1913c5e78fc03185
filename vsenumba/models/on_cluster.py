"""Asking a model on the workers of a cluster: what travels, what a worker makes of it, and what comes back.

The model travels once, as the bytes of its file; the images travel in parts, each of which is a whole number of the
blocks that one machine would work on. So a worker multiplies matrices of the same shapes, and finds the same to the
last bit.
"""

from __future__ import annotations

import functools
import importlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vsenumba.cluster.over_parts import over_parts
from vsenumba.cluster.turn import part_to_arrays
from vsenumba.cluster.workers import check_client, ready_workers
from vsenumba.data.annotation.absences import Absences
from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.pairs import gather_rows
from vsenumba.data.backbone_id import BackboneId
from vsenumba.data.matches import best_places
from vsenumba.data.vocabulary import NAME_DTYPE, Vocabulary
from vsenumba.errors import InputError
from vsenumba.evaluation.blocks import Counted, Ranked, count_blocks
from vsenumba.kernels.threads import thread_count
from vsenumba.models.parameters import MemberOf
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
from vsenumba.registry import Member

# A worker has several parts, so that one that is faster does more; but no part more blocks than these.
_PARTS_A_WORKER = 4
_MOST_BLOCKS = 32


def check_travels(model: Any) -> None:
    """Refuse a model that workers cannot make again.

    Raises
    ------
    InputError
        If it, or one of its parameters, is of a class of one's own, or it works on another device than the processor.
    """
    if type(model) is not importlib.import_module("vsenumba.models").MODELS.get(model.kind):
        raise InputError(f"a {type(model).__name__} is of a class of your own, which workers do not have")
    device = getattr(model, "device", "cpu")
    if device != "cpu":
        raise InputError(f'on a cluster every worker works on its processor: device must be "cpu", not {device!r}')
    for name, parameter in model.PARAMETERS.items():
        member = getattr(model, name)
        own = isinstance(parameter, MemberOf) and isinstance(member, Member)
        if own and type(member) is not parameter.family.members.get(member.name):
            raise InputError(
                f"the {parameter.family.kind} {member} is of a class of your own, which workers do not have; work "
                "without a client, or take another"
            )


def parts_of(blocks: Sequence[slice], n_workers: int) -> list[slice]:
    """Return slices of several blocks each, in order.

    Each has two blocks, if there are so many: a block that is alone is multiplied on all threads, and several are not.
    """
    n_parts = max(_PARTS_A_WORKER * n_workers, -(-len(blocks) // _MOST_BLOCKS))
    n_parts = max(1, min(n_parts, len(blocks) // 2))
    some = [one for one in np.array_split(np.arange(len(blocks)), n_parts) if len(one)]
    return [slice(blocks[one[0]].start, blocks[one[-1]].stop) for one in some]


def answers(
    client: Any,
    model: Any,
    work: Callable[[Any, Any], Any],
    blocks: Sequence[slice],
    made: Callable[[slice], dict[str, Any]],
    told: Mapping[str, Any],
) -> Iterator[tuple[slice, Any]]:
    """Return an iterator of parts and what workers make of them.

    Parameters
    ----------
    client : distributed.Client
        The cluster.
    model : Fitted
        The model.
    work : callable
        What a worker does with a part; see `over_parts`. It gets the model with `model_of`.
    blocks : sequence of slice
        The blocks that one machine would work on.
    made : callable
        Returns what is sent of a part, as plain; it is called when it is sent.
    told : mapping
        What all parts need beside the model.
    """
    check_client(client)
    check_travels(model)
    parts = parts_of(blocks, len(ready_workers(client)))
    shared = {"model": _as_bytes(model), "n_threads": getattr(model, "n_threads", None), **told}
    return zip(parts, over_parts(client, work, shared, [functools.partial(made, one) for one in parts]), strict=True)


def model_of(shared: Mapping[str, Any]) -> Any:
    """Return the model, on a worker."""
    model = _from_bytes(shared["model"])
    if "n_threads" in model.PARAMETERS:
        model.set_params(n_threads=shared["n_threads"])
    return model


def _as_bytes(model: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.h5"
        model.save(path)
        return path.read_bytes()


# The last one stays: a worker gets part after part for the same model.
@functools.lru_cache(maxsize=1)
def _from_bytes(content: bytes) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.h5"
        path.write_bytes(content)
        return importlib.import_module("vsenumba.models").load_model(path)


def _images_to_arrays(data: AnnotationSet, rows: np.ndarray) -> dict[str, Any]:
    """Return some images of a set with their ids; their features are read from disk here."""
    backbone = None if data.backbone is None else dict(data.backbone._asdict())
    return part_to_arrays(data, rows) | {"ids": data.image_ids.take(rows).tolist(), "backbone": backbone}


def _slice_to_arrays(data: AnnotationSet, some: slice) -> dict[str, Any]:
    return _images_to_arrays(data, np.arange(some.start, some.stop))


def _images_from_arrays(part: Mapping[str, Any], label_names: Vocabulary) -> AnnotationSet:
    """Return the set of images that `_images_to_arrays` was given."""
    n_labels, absent = len(label_names), None
    if "absent_indptr" in part:
        absent = Absences(part["absent_indptr"], part["absent_indices"], n_labels)
    return AnnotationSet(
        part["indptr"], part["indices"], n_labels,
        Vocabulary.of_distinct(np.array(part["ids"], dtype=NAME_DTYPE), "image"), label_names, part.get("features"),
        backbone=None if part["backbone"] is None else BackboneId(**part["backbone"]), absent=absent,
    )  # fmt: skip


def _received(shared: Mapping[str, Any], part: Mapping[str, Any]) -> tuple[Any, AnnotationSet]:
    """Return the model and the images of a part, on a worker."""
    model = model_of(shared)
    return model, _images_from_arrays(part, model.label_names_)


def count_on_cluster(client: Any, model: Any, asked: Ranked, n_threads: int | None) -> Counted:
    """Return what `vsenumba.evaluation.blocks.count_blocks` does."""
    offsets, excluded = asked.excluded
    step, n, n_labels = asked.images_at_once, len(asked.rows), asked.known.n_labels

    def made(some: slice) -> dict[str, Any]:
        begin, end = asked.indptr[some.start], asked.indptr[some.stop]
        ranked = {"offsets": asked.indptr[some.start : some.stop + 1] - begin, "labels": asked.labels[begin:end]}
        ranked["excluded"] = gather_rows(offsets, excluded, asked.rows[some], n_labels)
        return _images_to_arrays(asked.known, asked.rows[some]) | ranked

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
    """Count on a worker."""
    model, known = _received(shared, part)
    rows, excluded = np.arange(known.n_images), tuple(part["excluded"])
    asked = Ranked(
        known, rows, part["offsets"], part["labels"], excluded, shared["longest"], shared["images_at_once"]
    )  # fmt: skip
    return count_blocks(model, asked, thread_count(shared["n_threads"]))._asdict()


def suggest_on_cluster(client: Any, model: Any, question: Question, n: int, limits: Limits) -> Iterator[Best]:
    """Return an iterator of what `vsenumba.models.suggesting.best_labels` yields, in other blocks.

    Raises
    ------
    InputError
        If the question is about new images that are no set.
    """
    blocks = blocks_to_suggest(question, limits, len(model.label_names_))
    if question.scores is not model:
        raise InputError(
            "with a client, images must be a set, or ids of images that the model was trained on; make a set of new "
            "ones with AnnotationSet.from_lists, and give it features with with_features"
        )
    told = {"n": n, "only": limits.labels, "floor": float(limits.floor)}

    def made(some: slice) -> dict[str, Any]:
        return _images_to_arrays(question.known, question.rows[some]) | {"knows": question.knows[some]}

    found = answers(client, model, suggest_in_part, blocks, made, told)
    return (Best(some, *best) for some, best in found)


def suggest_in_part(shared: Mapping[str, Any], part: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return the best labels of a part's images, and their scores, on a worker."""
    model, known = _received(shared, part)
    question = Question(known, np.arange(known.n_images), model, part["knows"])
    limits = Limits(shared["only"], np.float32(shared["floor"]))
    found = list(best_labels(question, shared["n"], limits, model.label_names_, model._asking_threads))
    return np.concatenate([one.columns for one in found]), np.concatenate([one.scores for one in found])


def best_images_on_cluster(
    client: Any, model: Any, known: AnnotationSet, n: int, told: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the images that score best, candidates for the n best, and their scores, in the order of the images.

    Parameters
    ----------
    client, model : distributed.Client, Annotator
        The cluster and the model.
    known : AnnotationSet
        The images that are searched.
    n : int
        How many of each part.
    told : mapping
        ``"columns"``, ``"include_known"`` and ``"floor"``, to score by labels; or ``"vector"``, by the cosine with it.

    Returns
    -------
    (m,) int64 array, (m,) float32 array
        Rows of `known`, and their scores.
    """
    width = len(told["vector"] if "vector" in told else told["columns"])
    blocks, made = blocks_of(known.n_images, width), functools.partial(_slice_to_arrays, known)
    places, scores = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
    for some, (its_places, its_scores) in answers(client, model, search_part, blocks, made, {**told, "n": n}):
        places.append(some.start + its_places)
        scores.append(its_scores)
    return np.concatenate(places), np.concatenate(scores)


def search_part(shared: Mapping[str, Any], part: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return which images of a part score best, in their order, and their scores, on a worker."""
    model, known = _received(shared, part)
    scores = searched_scores(model, known, shared)
    places = np.sort(best_places(scores, shared["n"], known.image_ids))
    return places, scores[places]


def searched_scores(model: Any, known: AnnotationSet, told: Mapping[str, Any]) -> np.ndarray:
    """Return the scores of a search, (n_images,) float32, minus infinity where an image may not be found.

    See `best_images_on_cluster`.
    """
    if "vector" in told:
        return image_cosines(model._vectors, known, told["vector"], model._asking_threads)
    scores = image_scores(model, known, told["columns"], model._asking_threads)
    scores[~may_be_found(known, told["columns"], told["include_known"])] = -np.inf
    scores[scores <= np.float32(told["floor"])] = -np.inf
    return scores


def embedded(model: Any, known: AnnotationSet, n_threads: int) -> Iterator[tuple[slice, np.ndarray]]:
    """Return an iterator of slices of a set's images, in order, and their vectors, float32."""
    rows, blocks = np.arange(known.n_images), blocks_of(known.n_images, model.label_factors_.shape[1])
    return zip(blocks, in_turn(lambda some: model._vectors(known, rows[some]), blocks, n_threads), strict=True)


def embed_on_cluster(client: Any, model: Any, known: AnnotationSet) -> Iterator[tuple[slice, np.ndarray]]:
    """Return an iterator of what `embedded` does, in other slices."""
    blocks = blocks_of(known.n_images, model.label_factors_.shape[1])
    return answers(client, model, embed_part, blocks, functools.partial(_slice_to_arrays, known), {})


def embed_part(shared: Mapping[str, Any], part: Mapping[str, Any]) -> np.ndarray:
    """Return the vectors of a part's images, on a worker."""
    model, known = _received(shared, part)
    return np.concatenate([vectors for _, vectors in embedded(model, known, model._asking_threads)])
