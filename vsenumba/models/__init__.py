"""Models: what is fitted, saved and asked for labels."""

from __future__ import annotations

from os import PathLike

from vsenumba import storage
from vsenumba.errors import FileFormatError, InputError
from vsenumba.models.annotator import Annotator, Suggestion
from vsenumba.models.cross_modal_retriever import CrossModalRetriever, Found
from vsenumba.models.ease import EaseAnnotator
from vsenumba.models.image_annotator import ImageAnnotator
from vsenumba.models.popularity import PopularityAnnotator
from vsenumba.models.word_embedder import WordEmbedder

Model = Annotator | WordEmbedder | CrossModalRetriever

MODELS: dict[str, type[Annotator] | type[WordEmbedder] | type[CrossModalRetriever]] = {
    model.kind: model
    for model in (ImageAnnotator, EaseAnnotator, PopularityAnnotator, WordEmbedder, CrossModalRetriever)
}


def load_model(path: str | PathLike[str]) -> Model:
    """Read a model that its `save` wrote.

    Raises
    ------
    FileFormatError
        If the file is not a model, is damaged, or comes from a newer version of this package.
    """
    elements = storage.read_file(path, "model").elements
    kind = elements["class"]
    if kind not in MODELS:
        raise FileFormatError(f"{path}: this version knows no model {kind!r}; update with pip install -U vsenumba")
    return MODELS[kind].from_elements(elements)


def load_annotator(path: str | PathLike[str]) -> Annotator:
    """Read a model of images and labels; see `load_model`.

    Raises
    ------
    InputError
        If the file holds another kind of model.
    """
    model = load_model(path)
    if not isinstance(model, Annotator):
        room = "words" if isinstance(model, WordEmbedder) else "retrieval"
        raise InputError(f"{path} holds a {model.kind}, no model of images and labels; see 'vsenumba {room} --help'")
    return model


def load_retriever(path: str | PathLike[str]) -> CrossModalRetriever:
    """Read a model of images and captions; see `load_model`.

    Raises
    ------
    InputError
        If the file holds another kind of model.
    """
    model = load_model(path)
    if not isinstance(model, CrossModalRetriever):
        raise InputError(f"{path} holds a {model.kind}, no model of images and captions")
    return model


__all__ = [
    "MODELS",
    "Annotator",
    "CrossModalRetriever",
    "EaseAnnotator",
    "Found",
    "ImageAnnotator",
    "PopularityAnnotator",
    "Suggestion",
    "WordEmbedder",
    "load_annotator",
    "load_model",
    "load_retriever",
]
