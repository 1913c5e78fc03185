"""The preprocessing of pictures for a network, from options, metadata or the shape of the input."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from vsenumba.checks import is_number, is_whole
from vsenumba.errors import InputError
from vsenumba.pictures.backbones.backbone import RESIZES, checked_choice

SETTINGS = ("size", "layout", "channels", "scale", "mean", "std", "resize")

LAYOUTS = ("NCHW", "NHWC")
CHANNELS = ("RGB", "BGR")
_DEFAULT_SIZE = 224
_LARGEST_SIDE = 4096
#: Statistics of ImageNet for pixels from 0 to 1, which nearly all networks trained on ImageNet use.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

# Pixel ranges in the metadata of the ONNX standard: scale, mean and standard deviation.
_PIXEL_RANGES = {
    "NominalRange_0_255": (1.0, 0.0, 1.0),
    "Normalized_0_1": (1 / 255, 0.0, 1.0),
    "Normalized_1_1": (1 / 255, 0.5, 0.5),
}
_NUMBERS = re.compile(r"[\s,\[\]()]+")


class Preprocessing(NamedTuple):
    """The conversion of pictures to the input of a network."""

    height: int
    width: int
    layout: str
    channels: str
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    resize: str
    notes: tuple[str, ...] = ()

    def __call__(self, pictures: np.ndarray, dtype: Any) -> np.ndarray:
        """Convert (n, height, width, 3) uint8 pictures to the input of the network."""
        if self.channels == "BGR":
            pictures = pictures[..., ::-1]
        if dtype == np.uint8:
            values = pictures
        else:
            # One multiplication and one addition per value.
            factor = np.array([self.scale / one for one in self.std], np.float32)
            shift = np.array([-mean / one for mean, one in zip(self.mean, self.std, strict=True)], np.float32)
            values = (pictures * factor + shift).astype(dtype, copy=False)
        return np.ascontiguousarray(values.transpose(0, 3, 1, 2) if self.layout == "NCHW" else values)

    def decisive(self) -> list[Any]:
        """Return the settings that determine the vectors."""
        return list(self[:-1])


def find_preprocessing(
    path: str, shape: Sequence[int], takes_bytes: bool, metadata: Mapping[str, str], settings: Mapping[str, Any]
) -> Preprocessing:
    """Find the preprocessing from the options, the metadata, the shape of the input and the defaults, in this order.

    Parameters
    ----------
    path : str
        The file, for messages.
    shape : four ints
        The shape of the input; open dimensions are 0.
    takes_bytes : bool
        Whether the input is uint8, in which case the network itself normalises the pixels.
    metadata : mapping from str to str
        The metadata of the file.
    settings : mapping
        The options, with names from `SETTINGS`.

    Raises
    ------
    InputError
        If a setting cannot be used, or does not fit the input.
    """
    notes: list[str] = []
    said = _from_metadata(path, metadata) | {name: one for name, one in settings.items() if one is not None}
    if "layout" in said:
        said["layout"] = str(said["layout"]).upper()
    if "channels" in said:
        said["channels"] = str(said["channels"]).upper()
    layout = _layout(path, shape, said.get("layout"), notes)
    height, width = _size(path, shape[2:] if layout == "NCHW" else shape[1:3], said.get("size"), notes)
    channels = checked_choice("order of channels", said.get("channels", "RGB"), CHANNELS)
    resize = checked_choice("resize", said.get("resize", "crop"), RESIZES)
    if takes_bytes:
        if wrong := [name for name in ("scale", "mean", "std") if name in settings and settings[name] is not None]:
            raise InputError(f"{path}: the network uses unscaled bytes, so {wrong[0]} cannot be set")
        numbers: tuple[float, tuple[float, ...], tuple[float, ...]] = 1.0, (0.0,) * 3, (1.0,) * 3
    else:
        numbers = _normalisation(path, said, notes)
    return Preprocessing(height, width, layout, channels, *numbers, resize, tuple(notes))


def _from_metadata(path: str, metadata: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings in the metadata of a file."""
    said: dict[str, Any] = {}
    pixel_format = metadata.get("Image.BitmapPixelFormat", "")
    if pixel_format[:3].upper() in CHANNELS:
        said["channels"] = pixel_format[:3]
    if metadata.get("Image.NominalPixelRange") in _PIXEL_RANGES:
        said["scale"], said["mean"], said["std"] = _PIXEL_RANGES[metadata["Image.NominalPixelRange"]]
    for name in SETTINGS:
        if name not in metadata:
            continue
        value = metadata[name]
        if name in ("scale", "mean", "std"):
            said[name] = numbers_of(f"{path}: {name} in the metadata", value)
        elif name == "size":
            sides = set(numbers_of(f"{path}: size in the metadata", value))
            if len(sides) != 1:
                raise InputError(f"{path}: size in the metadata is {value!r:.60}; expected a whole number")
            said[name] = sides.pop()
        else:
            said[name] = value
    return said


def numbers_of(what: str, text: str) -> tuple[float, ...]:
    """Parse the numbers in a text such as ``"0.5"``, ``"1,2,3"`` or ``"[1, 2, 3]"``.

    Raises
    ------
    InputError
        If the text has no numbers, or anything else.
    """
    try:
        found = tuple(float(word) for word in _NUMBERS.split(text) if word)
    except ValueError:
        found = ()
    if not found:
        raise InputError(f"{what} is {text!r:.60}; expected numbers, such as 0.485,0.456,0.406")
    return found


def _layout(path: str, shape: Sequence[int], wanted: str | None, notes: list[str]) -> str:
    fits = [layout for layout in LAYOUTS if shape[layout.index("C")] in (0, 3)]
    if not fits:
        said = ", ".join(str(size or "?") for size in shape)
        raise InputError(
            f"{path}: the input has the shape ({said}); expected three channels (red, green and blue) as the "
            "second or the last dimension"
        )
    if wanted is not None:
        if checked_choice("layout", wanted, LAYOUTS) not in fits:
            raise InputError(f"{path}: the layout {wanted} does not match the input, which is {fits[0]}")
        return wanted
    sure = [layout for layout in fits if shape[layout.index("C")] == 3]
    if len(sure) == 1:
        return sure[0]
    if len(sure) == 2:
        raise InputError(f"{path}: the input may be NCHW or NHWC; set --layout (in Python layout=...)")
    notes.append("the layout is NCHW (--layout)")
    return "NCHW"


def _size(path: str, sides: Sequence[int], wanted: Any, notes: list[str]) -> tuple[int, int]:
    if wanted is not None and not (is_whole(wanted) and wanted <= _LARGEST_SIDE):
        raise InputError(f"size must be a whole number from 1 to {_LARGEST_SIDE}, not {wanted!r}")
    for side in sides:
        if wanted is not None and side not in (0, wanted):
            raise InputError(
                f"{path}: the network expects {sides[0] or 'any'} x {sides[1] or 'any'} pixels, so size cannot be "
                f"{int(wanted)}"
            )
    if wanted is None and not all(sides):
        notes.append(f"pictures have {_DEFAULT_SIZE} x {_DEFAULT_SIZE} pixels (--size)")
    open_side = int(wanted) if wanted is not None else _DEFAULT_SIZE
    return sides[0] or open_side, sides[1] or open_side


def _normalisation(
    path: str, said: Mapping[str, Any], notes: list[str]
) -> tuple[float, tuple[float, ...], tuple[float, ...]]:
    if "mean" not in said and "std" not in said and "scale" not in said:
        mean, std = (", ".join(f"{one:g}" for one in values) for values in (IMAGENET_MEAN, IMAGENET_STD))
        notes.append(f"pixels are normalised as for ImageNet: mean {mean}, standard deviation {std} (--mean, --std)")
        return 1 / 255, IMAGENET_MEAN, IMAGENET_STD
    means = _three(path, "mean", said.get("mean", 0.0))
    stds = _three(path, "std", said.get("std", 1.0))
    if min(stds) <= 0:
        raise InputError(f"{path}: std must be above 0, not {min(stds):g}")
    if "scale" in said:
        scale = _three(path, "scale", said["scale"])[0]
        if scale <= 0:
            raise InputError(f"{path}: scale must be above 0, not {scale:g}")
        return scale, means, stds
    # For pixels from 0 to 1, neither is above 1.
    in_bytes = max(*means, *stds) > 1
    if not in_bytes and max(stds) == 1:  # this may also mean bytes that need no normalisation
        notes.append("mean and standard deviation are for values from 0 to 1 (otherwise use --scale 1)")
    return (1.0 if in_bytes else 1 / 255), means, stds


def _three(path: str, what: str, value: Any) -> tuple[float, ...]:
    values: Any = numbers_of(what, value) if isinstance(value, str) else [value] if is_number(value) else value
    if isinstance(values, np.ndarray):
        values = values.tolist()
    if not isinstance(values, (list, tuple)) or len(values) not in (1, 3) or not all(map(is_number, values)):
        raise InputError(f"{path}: {what} must be one number or three, not {json.dumps(value, default=str):.60}")
    if not np.isfinite(np.array(values, float)).all():
        raise InputError(f"{path}: {what} must be finite")
    return tuple(float(one) for one in (list(values) * 3 if len(values) == 1 else values))
