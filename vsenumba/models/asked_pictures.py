"""Pictures that a model is asked about: described by the backbone of its own features, or not at all."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.coercion import as_annotation_set
from vsenumba.data.backbone_id import BackboneId, check_same_backbone
from vsenumba.errors import InputError, VsenumbaError
from vsenumba.evaluation.known_labels import with_known_labels
from vsenumba.models.questions import Answering


def picture_set(model: Answering, pictures: Any, backbone: Any, known: Any) -> AnnotationSet:
    """Return pictures as a set, with their features and what is known of their labels.

    Parameters
    ----------
    model : Answering
        The model that will be asked.
    pictures : path or PictureFolder
        The pictures.
    backbone : str, path, callable, Backbone or None
        What describes them; None for what the model was trained with, if it can be found by its name.
    known : set, mapping, path or None
        Labels that some of them are known to have.

    Raises
    ------
    InputError
        If the model does not look at features, or the backbone is another than its own. No picture has been read then.
    """
    made = backbone_for(model, backbone)
    room = importlib.import_module("vsenumba.pictures")
    tags = as_annotation_set(known, "known") if isinstance(known, Mapping) else known
    data: AnnotationSet = room.load_pictures(pictures, tags, backbone=made)
    return with_known_labels(data, model.label_names_, "known")[0] if known is not None else data


def backbone_for(model: Answering, backbone: Any = None, **settings: Any) -> Any:
    """Return what describes pictures that a model is asked about, having made sure that it is the model's own.

    Parameters
    ----------
    model : Answering
        The model.
    backbone : str, path, callable, Backbone or None
        See `picture_set`.
    **settings
        Of the backbone, None for those that are left to it.

    Raises
    ------
    InputError
        If the model does not look at features, or the backbone is another than its own.
    """
    if not model.uses_features:
        raise InputError(
            "the model does not look at pictures: train one on a set with features, with the inputs 'features' or "
            "'labels+features'"
        )
    # Not imported at the top: who asks about no picture needs none of it.
    room = importlib.import_module("vsenumba.pictures")
    own: BackboneId | None = getattr(model, "backbone_", None)
    if backbone is None and not any(value is not None for value in settings.values()):
        made = _own_backbone(room, own)
    else:
        made = room.as_backbone(own.name if backbone is None and own is not None else backbone, **settings)
    check_same_backbone(made.id, own)
    return made


def _own_backbone(room: Any, own: BackboneId | None) -> Any:
    """Return the backbone of a model's features, where its name says what it is."""
    if own is None:
        raise InputError(
            "the model does not say what its features were computed with; give the backbone (--backbone on the command "
            "line): 'descriptors', the path of an .onnx file, or in Python a function"
        )
    try:
        return room.as_backbone(own.name)
    except VsenumbaError as error:
        raise InputError(
            f"the model's features are those of the backbone {own.name!r}, which is not found by its name; "
            "give it (--backbone on the command line): its .onnx file, or in Python its function"
        ) from error
