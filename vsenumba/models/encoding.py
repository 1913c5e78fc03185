"""The vectors of a whole set, a few at a time, without holding the whole set's vectors in memory."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.catalogue import load_dataset
from vsenumba.data.captions.caption_set import CaptionSet
from vsenumba.data.captions.ragged import Ragged
from vsenumba.data.captions.readers import load_caption_set
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError
from vsenumba.models.caption_checks import warn_of_unknown
from vsenumba.models.cross_modal_retriever import BLOCK, CrossModalRetriever
from vsenumba.models.travelling import answers, model_of
from vsenumba.models.vector_annotator import VectorAnnotator
from vsenumba.training.captions.caption_rows import Captions, TokenCaptions, WordCaptions

if TYPE_CHECKING:
    from distributed import Client

# Number of blocks whose vectors are returned together if there is no cluster.
_BLOCKS_AT_A_TIME = 32


def encode_each(
    model: Any, what: str, data: Any = None, *, client: Client | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the names and the vectors of a set's images or captions, a few thousand at a time.

    Parameters
    ----------
    model : ImageAnnotator or CrossModalRetriever
        The model.
    what : {"images", "captions"}
        Kind of vectors.
    data : set, or name or path of one, optional
        An AnnotationSet, or a CaptionSet for a retriever. An annotation model uses its training set by default.
    client : distributed.Client, optional
        Cluster whose workers share the work; see ``docs/how-to/cluster.md``. The result is the same.

    Yields
    ------
    names : (b,) StringDType array
        Ids of the next images or captions.
    vectors : (b, n_factors) float32 array
        Their vectors.

    Raises
    ------
    InputError
        If the model has no such vectors, or the set lacks what the model needs.
    ClusterError
        If the cluster of `client` cannot do the work.

    Warns
    -----
    UserWarning
        At the end, if some captions contain no known word.

    Examples
    --------
    >>> from vsenumba import ImageAnnotator, synthetic
    >>> from vsenumba.models import encode_each
    >>> data = synthetic(60, 12, 240, rng=0)
    >>> model = ImageAnnotator(n_factors=8, n_epochs=1, random_state=0).fit(data)
    >>> [(len(names), vectors.shape) for names, vectors in encode_each(model, "images", data)]
    [(60, (60, 8))]
    """
    if isinstance(model, VectorAnnotator) and what == "images":
        images = data if data is None or isinstance(data, AnnotationSet) else load_dataset(data)
        return model.embed_each(images, client=client)
    if not isinstance(model, CrossModalRetriever) or what not in model.exports:
        raise InputError(f"a {type(model).__name__} has no vectors of {what}")
    if data is None:
        raise InputError("a retriever does not store its training set; pass the set to embed as data (--data)")
    return _of_captioned(model, what, data if isinstance(data, CaptionSet) else load_caption_set(data), client)


def _of_captioned(
    model: CrossModalRetriever, what: str, data: CaptionSet, client: Client | None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    names = data.image_ids if what == "images" else data.caption_ids
    if what == "captions" and (data.tokens if model.words_ is None else data.captions) is None:
        model._captions(data)  # raises an error that states what the set lacks
    made = functools.partial(_items_to_arrays, data, what, texts=model.words_ is not None)
    blocks = [slice(start, min(start + BLOCK, len(names))) for start in range(0, len(names), BLOCK)]
    found: Iterator[tuple[slice, dict[str, np.ndarray]]]
    if client is None:
        parts = [
            slice(some[0].start, some[-1].stop)
            for some in (blocks[at : at + _BLOCKS_AT_A_TIME] for at in range(0, len(blocks), _BLOCKS_AT_A_TIME))
        ]
        found = ((some, _encoded(model, made(some))) for some in parts)
    else:
        found = answers(client, model, encode_part, blocks, made, {})
    return _named(found, names)


def _named(
    found: Iterator[tuple[slice, dict[str, np.ndarray]]], names: Vocabulary
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    unknown = [np.zeros(0, bool)]
    for some, one in found:
        unknown.append(one["unknown"])
        yield names.take(np.arange(some.start, some.stop)), one["vectors"]
    warn_of_unknown(np.concatenate(unknown), "their vectors carry no information")


def _items_to_arrays(data: CaptionSet, what: str, some: slice, *, texts: bool) -> dict[str, Any]:
    """Return the rows or texts of some images or captions, as plain data that can be sent to a worker."""
    if what == "captions" and texts and data.captions is not None:
        return {"texts": data.captions[some].tolist()}
    rows = data.images if what == "images" else data.tokens
    assert rows is not None  # noqa: S101 - `_of_captioned` has checked it
    values, offsets = rows.take(np.arange(some.start, some.stop))
    return {"of": what, "values": values, "offsets": offsets}


def encode_part(shared: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the vectors of a part; runs on a worker."""
    return _encoded(model_of(shared), part)


def _encoded(model: CrossModalRetriever, part: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the vectors of the items that `_items_to_arrays` returned, and which of them contain no known word."""
    source: Captions
    if "texts" in part:
        source, n = WordCaptions(part["texts"], model.words_), len(part["texts"])  # type: ignore[arg-type]  # not None
    else:
        rows = Ragged.of_rows(part["values"], part["offsets"], part["of"].removesuffix("s"))
        if part["of"] == "images":
            return {"vectors": model.embed_images(rows), "unknown": np.zeros(len(rows), bool)}
        source, n = TokenCaptions(rows), len(rows)
    return {"vectors": model._embed_captions(source, n), "unknown": source.unknown}
