"""Find the pictures in a folder, decode them safely, and compute their vectors with a backbone."""

from vsenumba.pictures.backbones import (
    BACKBONES,
    Backbone,
    DescriptorBackbone,
    FunctionBackbone,
    OnnxBackbone,
    as_backbone,
)
from vsenumba.pictures.decode import MAX_PIXELS, open_picture, thumbnail
from vsenumba.pictures.describing import Described, describe_pictures
from vsenumba.pictures.folder import BrokenPicture, PictureFolder
from vsenumba.pictures.reading import PicturesRead, load_pictures, read_pictures

__all__ = [
    "BACKBONES",
    "MAX_PIXELS",
    "Backbone",
    "BrokenPicture",
    "Described",
    "DescriptorBackbone",
    "FunctionBackbone",
    "OnnxBackbone",
    "PictureFolder",
    "PicturesRead",
    "as_backbone",
    "describe_pictures",
    "load_pictures",
    "open_picture",
    "read_pictures",
    "thumbnail",
]
