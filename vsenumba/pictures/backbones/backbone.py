"""What every backbone is: it takes pictures of one size and makes a vector of each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import Any, ClassVar

import numpy as np

from vsenumba.data.backbone_id import BackboneId
from vsenumba.errors import InputError, unknown_name

#: How a picture is brought to the size of a backbone's input.
RESIZES = ("crop", "pad", "squash")


class Backbone(ABC):
    """What makes vectors of pictures.

    Attributes
    ----------
    id : BackboneId
        Its name, and a digest of all that decides the numbers.
    height, width : int
        The pixels of its input.
    resize : str
        How a picture gets that size: ``"crop"`` (its middle), ``"pad"`` (whole, on white) or ``"squash"``.
    smooth : bool
        Whether that is done with Lanczos' filter rather than the bicubic one.
    batch : int
        How many pictures are described together.
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
        """Tell whether a value stands for a backbone of this kind."""

    @classmethod
    @abstractmethod
    def make(cls, value: Any, settings: dict[str, Any]) -> Backbone:
        """Make the backbone that a value stands for.

        Raises
        ------
        InputError
            If a setting is not one of this kind, or cannot be used.
        """

    @abstractmethod
    def describe(self, pictures: np.ndarray) -> np.ndarray:
        """Return the vectors of pictures.

        Parameters
        ----------
        pictures : (n, height, width, 3) uint8 array
            RGB.

        Returns
        -------
        (n, d) array
            Of uint8, float16 or float32.
        """


def refuse_settings(kind: str, settings: Collection[str], known: Collection[str]) -> None:
    """Refuse settings that a backbone does not have, rather than ignore them."""
    for setting in settings:
        if setting not in known:
            if not known:
                raise InputError(f"the backbone {kind!r} has no settings, so {setting} cannot be set")
            raise unknown_name(f"setting of the backbone {kind!r}", setting, known)


def checked_choice(what: str, value: Any, choices: Collection[str]) -> str:
    """Return one of the choices there are."""
    if not isinstance(value, str) or value not in choices:
        raise unknown_name(what, value, choices)
    return value
