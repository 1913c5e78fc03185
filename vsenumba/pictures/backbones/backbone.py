"""The base class of backbones, which compute a vector for each picture of a fixed size."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import Any, ClassVar

import numpy as np

from vsenumba.data.backbone_id import BackboneId
from vsenumba.errors import InputError, unknown_name

#: Ways to resize a picture to the input size of a backbone.
RESIZES = ("crop", "pad", "squash")


class Backbone(ABC):
    """A method that computes vectors of pictures.

    Attributes
    ----------
    id : BackboneId
        The name, and a digest of everything that determines the vectors.
    height, width : int
        The size of the input in pixels.
    resize : str
        How to resize a picture: ``"crop"`` takes the middle, ``"pad"`` puts the whole picture on white, and
        ``"squash"`` changes its proportions.
    smooth : bool
        Whether to resize with the Lanczos filter instead of the bicubic filter.
    batch : int
        The number of pictures in a batch.
    """

    name: ClassVar[str]
    description: ClassVar[str]

    id: BackboneId
    height: int
    width: int
    resize: str
    smooth: bool = False
    batch: int = 32

    @classmethod
    @abstractmethod
    def recognises(cls, value: Any) -> bool:
        """Return whether a value specifies a backbone of this class."""

    @classmethod
    @abstractmethod
    def make(cls, value: Any, settings: dict[str, Any]) -> Backbone:
        """Create the backbone that a value specifies.

        Raises
        ------
        InputError
            If this class does not have a setting, or the setting cannot be used.
        """

    @abstractmethod
    def describe(self, pictures: np.ndarray) -> np.ndarray:
        """Compute the vectors of pictures.

        Parameters
        ----------
        pictures : (n, height, width, 3) uint8 array
            RGB.

        Returns
        -------
        (n, d) array
            Vectors of dtype uint8, float16 or float32.
        """


def refuse_settings(kind: str, settings: Collection[str], known: Collection[str]) -> None:
    """Raise an error for settings that a backbone does not have."""
    for setting in settings:
        if setting not in known:
            if not known:
                raise InputError(f"the backbone {kind!r} has no settings, so {setting} cannot be set")
            raise unknown_name(f"setting of the backbone {kind!r}", setting, known)


def checked_choice(what: str, value: Any, choices: Collection[str]) -> str:
    """Return a value if it is one of the choices; otherwise raise an error."""
    if not isinstance(value, str) or value not in choices:
        raise unknown_name(what, value, choices)
    return value
