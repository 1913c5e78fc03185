"""The backbone that calls a Python function of your own."""

from __future__ import annotations

from typing import Any

import numpy as np

from vsenumba.checks import is_whole
from vsenumba.data.backbone_id import BackboneId
from vsenumba.data.names import as_name
from vsenumba.errors import InputError
from vsenumba.pictures.backbones.backbone import RESIZES, Backbone, checked_choice, refuse_settings

_SETTINGS = ("size", "name", "resize", "batch")


class FunctionBackbone(Backbone):
    """A function that computes vectors of pictures.

    Parameters
    ----------
    function : callable
        A function from an (n, size, size, 3) uint8 array of RGB pictures to an (n, d) array of finite numbers. It is
        called from one thread only.
    size : int
        Pixels along each side.
    name : str, optional
        The name of the backbone in files and models, which reject features of a backbone with another name. Change it
        whenever the results of the function change. The default is the name of the function. A cache requires a name.
    resize : str
        ``"crop"``, ``"pad"`` or ``"squash"``, see `Backbone`.
    batch : int
        The number of pictures in each call.

    Examples
    --------
    >>> backbone = FunctionBackbone(lambda pictures: pictures.mean(axis=(1, 2)), size=32, name="mean-colour")
    >>> backbone.describe(np.full((1, 32, 32, 3), 7, np.uint8))
    array([[7., 7., 7.]], dtype=float32)
    """

    name = "function"
    description = "any function in Python, from (n, size, size, 3) uint8 to (n, d)"

    def __init__(
        self, function: Any, *, size: int = 224, name: str | None = None, resize: str = "crop", batch: int = 32
    ) -> None:
        if not callable(function):
            raise InputError(f"a backbone must be a function of pictures, not {function!r:.60}")
        for what, value in (("size", size), ("batch", batch)):
            if not is_whole(value):
                raise InputError(f"{what} must be a whole number of at least 1, not {value!r}")
        self.function = function
        self.is_named = name is not None
        own = getattr(function, "__name__", type(function).__name__)
        called = as_name(own if name is None else name, "the backbone")
        if not called:
            raise InputError("the backbone's name is empty")
        self.height = self.width = int(size)
        self.resize = checked_choice("resize", resize, RESIZES)
        self.batch = int(batch)
        self.id = BackboneId(called, f"function {self.resize} {self.height}")

    @classmethod
    def recognises(cls, value: Any) -> bool:
        """See `Backbone.recognises`."""
        return callable(value)

    @classmethod
    def make(cls, value: Any, settings: dict[str, Any]) -> FunctionBackbone:
        """See `Backbone.make`."""
        refuse_settings(cls.name, settings, _SETTINGS)
        return cls(value, **settings)

    def describe(self, pictures: np.ndarray) -> np.ndarray:
        """See `Backbone.describe`."""
        found = np.asarray(self.function(pictures))
        if found.ndim != 2 or len(found) != len(pictures) or not found.shape[1] or found.dtype.kind not in "buif":
            raise InputError(
                f"the backbone {self.id.name!r} returned {found.dtype} of shape {found.shape} for {len(pictures)} "
                f"picture(s); expected numbers of shape ({len(pictures)}, d)"
            )
        kept = found.dtype in (np.uint8, np.float16, np.float32)
        return np.ascontiguousarray(found if kept else found.astype(np.float32))
