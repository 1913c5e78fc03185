"""Queries about pictures, whose features must come from the backbone of the model's own features."""

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
    """Return pictures as a set, with their features and their known labels.

    Parameters
    ----------
    model : Answering
        The model to query.
    pictures : path or PictureFolder
        The pictures.
    backbone : str, path, callable, Backbone or None
        Backbone that computes the features; None for the backbone of the training features, if its name is known.
    known : set, mapping, path or None
        Known labels of some of the pictures.

    Raises
    ------
    InputError
        If the model does not use features, or was trained with another backbone. No picture has been read then.
    """
    made = backbone_for(model, backbone)
    pictures_api = importlib.import_module("vsenumba.pictures")
    tags = as_annotation_set(known, "known") if isinstance(known, Mapping) else known
    data: AnnotationSet = pictures_api.load_pictures(pictures, tags, backbone=made)
    return with_known_labels(data, model.label_names_, "known")[0] if known is not None else data


def backbone_for(model: Answering, backbone: Any = None, **settings: Any) -> Any:
    """Return the backbone for a query about pictures, after checking that it is the model's own.

    Parameters
    ----------
    model : Answering
        The model to query.
    backbone : str, path, callable, Backbone or None
        See `picture_set`.
    **settings
        Settings of the backbone; None for its defaults.

    Raises
    ------
    InputError
        If the model does not use features, or was trained with another backbone.
    """
    if not model.uses_features:
        raise InputError(
            "the model does not use features of pictures; train one on a set with features, with the inputs 'features' "
            "or 'labels+features'"
        )
    # Imported here because other queries do not need it.
    pictures_api = importlib.import_module("vsenumba.pictures")
    own: BackboneId | None = getattr(model, "backbone_", None)
    if backbone is None and not any(value is not None for value in settings.values()):
        made = _own_backbone(pictures_api, own)
    else:
        made = pictures_api.as_backbone(own.name if backbone is None and own is not None else backbone, **settings)
    check_same_backbone(made.id, own)
    return made


def _own_backbone(pictures_api: Any, own: BackboneId | None) -> Any:
    """Return the backbone of a model's features, found by its name."""
    if own is None:
        raise InputError(
            "the model does not record the backbone of its features; give the backbone (--backbone on the command "
            "line): 'descriptors', the path of an .onnx file, or in Python a function"
        )
    try:
        return pictures_api.as_backbone(own.name)
    except VsenumbaError as error:
        raise InputError(
            f"the model's features come from the backbone {own.name!r}, which cannot be found by its name; "
            "give it (--backbone on the command line): its .onnx file, or in Python its function"
        ) from error
