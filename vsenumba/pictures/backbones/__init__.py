"""Backbones, which compute vectors of pictures. To add one, add a file here and an entry in `BACKBONES`."""

from __future__ import annotations

from typing import Any

from vsenumba.errors import InputError
from vsenumba.pictures.backbones.backbone import Backbone
from vsenumba.pictures.backbones.descriptors import DescriptorBackbone
from vsenumba.pictures.backbones.function import FunctionBackbone
from vsenumba.pictures.backbones.onnx_network import OnnxBackbone

__all__ = ["BACKBONES", "Backbone", "DescriptorBackbone", "FunctionBackbone", "OnnxBackbone", "as_backbone"]

BACKBONES: tuple[type[Backbone], ...] = (DescriptorBackbone, OnnxBackbone, FunctionBackbone)


def as_backbone(value: Any, **settings: Any) -> Backbone:
    """Convert a value to a backbone.

    Parameters
    ----------
    value : str, path-like, callable or Backbone
        ``"descriptors"``, the path of an ONNX file, or a function; see `BACKBONES`.
    **settings
        Settings of the backbone; see `OnnxBackbone` and `FunctionBackbone`. None means the default.

    Raises
    ------
    InputError
        If the value is not a backbone, or the backbone does not have one of the settings.

    Examples
    --------
    >>> as_backbone("descriptors").id.name
    'descriptors'
    """
    given = {name: one for name, one in settings.items() if one is not None}
    if isinstance(value, Backbone):
        if given:
            raise InputError(f"{next(iter(given))} cannot be combined with a Backbone object")
        return value
    for kind in BACKBONES:
        if kind.recognises(value):
            return kind.make(value, given)
    raise InputError(
        f"backbone must be 'descriptors', the path of an .onnx file, or a function of pictures, not {value!r:.60}"
    )
