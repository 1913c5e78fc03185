"""Models: what is fitted, saved and asked for labels."""

from __future__ import annotations

from os import PathLike

from vsenumba import storage
from vsenumba.errors import FileFormatError
from vsenumba.models.annotator import Annotator, Suggestion
from vsenumba.models.ease import EaseAnnotator
from vsenumba.models.image_annotator import ImageAnnotator
from vsenumba.models.popularity import PopularityAnnotator

MODELS: dict[str, type[Annotator]] = {
    model.kind: model for model in (ImageAnnotator, EaseAnnotator, PopularityAnnotator)
}


def load_model(path: str | PathLike[str]) -> Annotator:
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


__all__ = [
    "MODELS",
    "Annotator",
    "EaseAnnotator",
    "ImageAnnotator",
    "PopularityAnnotator",
    "Suggestion",
    "load_model",
]
