"""Models: fit, save and query them for labels, words, images and captions."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from typing import Any, TypeVar

from vsenumba import storage
from vsenumba.errors import FileFormatError, InputError
from vsenumba.models.annotator import Annotator
from vsenumba.models.cross_modal_retriever import CrossModalRetriever
from vsenumba.models.ease import EaseAnnotator
from vsenumba.models.encoding import encode_each
from vsenumba.models.fitted import HEAD, Fitted
from vsenumba.models.image_annotator import ImageAnnotator
from vsenumba.models.image_index import ImageIndex
from vsenumba.models.popularity import PopularityAnnotator
from vsenumba.models.trained import Trained
from vsenumba.models.word_embedder import WordEmbedder
from vsenumba.storage import schema

M = TypeVar("M", bound=Fitted)

MODELS: dict[str, type[Fitted]] = {
    model.kind: model
    for model in (ImageAnnotator, EaseAnnotator, PopularityAnnotator, WordEmbedder, CrossModalRetriever)
}


def load_model(path: str | PathLike[str], expect: type[M] | None = None, members: type | Iterable[type] = ()) -> Any:
    """Load a model from a file that its `save` method wrote.

    Parameters
    ----------
    path : str or path
        The file.
    expect : type, optional
        Class that the model must have, such as `Annotator` for any model of images and labels.
    members : type or iterable of type
        Your own classes that the model uses, such as samplers, losses or poolings. A file contains their names and
        parameters, but no code.

    Returns
    -------
    ImageAnnotator, WordEmbedder, ...
        The model, of the class that was saved.

    Raises
    ------
    FileFormatError
        If the file does not contain a model, is damaged, comes from a newer version of this package, or needs a class
        that is not in `members`.
    InputError
        If the file contains a different kind of model than `expect`.

    Examples
    --------
    >>> import tempfile
    >>> from vsenumba import PopularityAnnotator, load_model
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     PopularityAnnotator().fit([["cat", "pet"]]).save(f"{folder}/model.h5")
    ...     load_model(f"{folder}/model.h5").label_names_.take([0, 1]).tolist()
    ['cat', 'pet']
    """
    members = [members] if isinstance(members, type) else list(members)
    for member in members:
        if not isinstance(member, type):
            raise InputError(f"members must be classes, not {member!r}")
    if expect is not None and not (isinstance(expect, type) and issubclass(expect, Fitted)):
        raise InputError(f"expect must be a model class, such as ImageAnnotator, not {expect!r}")
    elements = storage.read_file(path, "model").elements
    with storage.content_of(path):
        schema.check(HEAD, elements)
        kind = elements["class"]
        if kind not in MODELS:
            raise FileFormatError(f"this version does not know the model {kind!r}; update with pip install -U vsenumba")
    if expect is not None and not issubclass(MODELS[kind], expect):
        raise InputError(
            f"{path} holds a model of {MODELS[kind].subject} ({kind}), not {_described(expect)}"
            + (f"; see 'vsenumba {_COMMANDS[kind]} --help'" if kind in _COMMANDS else "")
        )
    with storage.content_of(path):
        return MODELS[kind].from_elements(elements, members)


# Models with a command group of their own.
_COMMANDS = {WordEmbedder.kind: "words", CrossModalRetriever.kind: "retrieval"}


def _described(expect: type[Fitted]) -> str:
    kind = getattr(expect, "kind", None)
    return f"a model of {expect.subject}" + (f" ({kind})" if kind else "")


__all__ = [
    "MODELS",
    "Annotator",
    "CrossModalRetriever",
    "EaseAnnotator",
    "Fitted",
    "ImageAnnotator",
    "ImageIndex",
    "PopularityAnnotator",
    "Trained",
    "WordEmbedder",
    "encode_each",
    "load_model",
]
