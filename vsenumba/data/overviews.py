"""Overviews of data sets for notebooks: sizes, most common names, and the first entries."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np

from vsenumba import html

# The most images, labels, words or sentences to show.
_MOST = 5
# The most words of a sentence to show.
_MOST_WORDS = 20


def annotation_set_html(data: Any) -> html.Html:
    """Return the overview of an `AnnotationSet`."""
    counts = data.label_counts
    values: dict[str, Any] = {
        "images": data.n_images,
        "labels": data.n_labels,
        "pairs": data.n_pairs,
        "labels per image": html.spread(data.labels_per_image),
        "images per label": html.spread(counts),
    }
    if data.features is not None:
        backbone = f", {data.backbone.name}" if data.backbone is not None else ""
        values["features"] = f"{data.n_features:,} × {data.features.dtype}{backbone}"
    if data.absent is not None:
        values["verified absences"] = data.absent.n_pairs
    values["most common labels"] = _most_common(data.label_names, counts)
    rows = [(data.image_ids[i], _first_labels(data, i)) for i in range(min(data.n_images, _MOST))]
    return html.panel("AnnotationSet", "", html.facts(values), html.table(rows, ("image", "labels")))


def caption_set_html(data: Any) -> html.Html:
    """Return the overview of a `CaptionSet`."""
    rows = html.spread(data.images.lengths)
    values: dict[str, Any] = {
        "images": data.n_images,
        "captions": data.n_captions,
        "features per image": f"rows: {rows}; {data.images.width:,} numbers in a row",
        "captions are": "texts" if data.tokens is None else f"rows of {data.tokens.width:,} numbers",
    }
    subjects = len(np.unique(data.image_subjects))
    if subjects != data.n_images:
        values["subjects"] = subjects
    if data.classes is not None:
        values["classes"] = len(np.unique(data.classes))
    if data.parts is not None:
        values["parts"] = html.counted_names(zip(*np.unique(data.parts, return_counts=True), strict=True))
    if data.captions is None:
        return html.panel("CaptionSet", "", html.facts(values))
    first = [(data.image_ids[i], " | ".join(data.captions_of(i)[:2])) for i in range(min(data.n_images, _MOST))]
    return html.panel("CaptionSet", "", html.facts(values), html.table(first, ("image", "captions")))


def corpus_html(data: Any) -> html.Html:
    """Return the overview of a `Corpus`."""
    values = {
        "words of text": data.n_tokens,
        "different words": data.n_words,
        "sentences": data.n_sentences,
        "most common words": _most_common(data.words, data.counts),
    }
    begins = data.offsets[: min(data.n_sentences, _MOST) + 1]
    sentences = [
        " ".join(data.words[int(token)] for token in data.tokens[begin : min(end, begin + _MOST_WORDS)])
        + (" …" if end - begin > _MOST_WORDS else "")
        for begin, end in zip(begins[:-1].tolist(), begins[1:].tolist(), strict=True)
    ]
    rows = [(i, sentence) for i, sentence in enumerate(sentences)]
    return html.panel("Corpus", "", html.facts(values), html.table(rows, ("sentence", "words")))


def word_vectors_html(vectors: Any) -> html.Html:
    """Return the overview of `WordVectors`."""
    width = vectors.factors.shape[1]
    more = ["…"] * (width > _MOST)
    rows = [(word, *vectors.factors[i, :_MOST].tolist(), *more) for i, word in enumerate(islice(vectors.words, _MOST))]
    head = ("word", *map(str, range(min(width, _MOST))), *more)
    return html.panel("WordVectors", "", html.facts({"words": len(vectors), "factors": width}), html.table(rows, head))


def _most_common(names: Any, counts: np.ndarray) -> html.Html:
    top = np.argsort(-counts, kind="stable")[:_MOST].tolist()
    return html.counted_names((names[i], counts[i]) for i in top if counts[i])


def _first_labels(data: Any, row: int) -> str:
    labels = data.indices[data.indptr[row] : data.indptr[row + 1]]
    more = f", and {len(labels) - _MOST} more" if len(labels) > _MOST else ""
    return ", ".join(data.label_names[int(i)] for i in labels[:_MOST]) + more
