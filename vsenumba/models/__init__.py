"""Models: what is fitted, saved and asked for labels."""

from __future__ import annotations

from os import PathLike

from vsenumba import storage
from vsenumba.errors import FileFormatError, InputError
from vsenumba.models.annotator import Annotator, Suggestion
from vsenumba.models.ease import EaseAnnotator
from vsenumba.models.image_annotator import ImageAnnotator
from vsenumba.models.popularity import PopularityAnnotator
from vsenumba.models.word_embedder import WordEmbedder

MODELS: dict[str, type[Annotator] | type[WordEmbedder]] = {
    model.kind: model for model in (ImageAnnotator, EaseAnnotator, PopularityAnnotator, WordEmbedder)
}


def load_model(path: str | PathLike[str]) -> Annotator | WordEmbedder:
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
        raise InputError(f"{path} holds a model of words, not of images and labels; see 'vsenumba words --help'")
    return model


__all__ = [
    "MODELS",
    "Annotator",
    "EaseAnnotator",
    "ImageAnnotator",
    "PopularityAnnotator",
    "Suggestion",
    "WordEmbedder",
    "load_annotator",
    "load_model",
]
