"""Decode pictures of common formats to upright RGB on white, with a size limit and clear errors."""

from __future__ import annotations

import math
import threading
import warnings
from contextlib import contextmanager, nullcontext
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from vsenumba.errors import FileFormatError, VsenumbaError
from vsenumba.storage import check_readable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PIL.Image import Image

#: The maximum number of pixels of a picture, which is also Pillow's limit. A damaged file can claim any size.
MAX_PIXELS = 178_956_970

#: File endings of the supported formats.
ENDINGS = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".dib"})

HEAD_BYTES = 32
# Pictures with more pixels are decoded one at a time, because each needs hundreds of megabytes.
_LARGE = 40_000_000
_one_large = threading.Lock()

_ORIENTATION = 0x0112
# A JPEG is decoded to at least this many times the requested size, and then scaled down.
_FINER = 2
# The number of rows of grey values that are scaled at a time.
_ROWS = 64
_TRANSPARENT = frozenset({"RGBA", "RGBa", "LA", "La", "PA"})


def open_picture(path: str | PathLike[str]) -> Image:
    """Open a picture as upright 8-bit RGB.

    The supported formats are JPEG, PNG, WebP, GIF (the first frame), TIFF (the first page) and BMP. The format is
    detected from the content, not the ending of the file. The EXIF orientation is applied. Transparent areas become
    white. Palettes, CMYK, and 1-bit and 16-bit pixels are converted. 32-bit integers, and floats that are not all
    between 0 and 1, are scaled so that the smallest becomes 0 and the largest 255.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    PIL.Image.Image
        The picture, in mode RGB.

    Raises
    ------
    InputError
        If the file does not exist or cannot be read.
    FileFormatError
        If the file is not a picture, is damaged or cut off, or has more than `MAX_PIXELS` pixels. The size is checked
        before decoding.
    """
    with quiet_pillow():
        image, turn = _decoded(path, None)
        return image if turn is None else image.transpose(turn)


def thumbnail(path: str | PathLike[str], side: int) -> np.ndarray:
    """Return the whole picture in the middle of a white square.

    Parameters
    ----------
    path : str or path-like
        The file; see `open_picture`.
    side : int
        Pixels along each side of the square.

    Returns
    -------
    (side, side, 3) uint8 array
        RGB.

    Raises
    ------
    InputError, FileFormatError
        See `open_picture`.
    """
    with quiet_pillow():
        return fitted(path, side, side, "pad", smooth=True)


def fitted(path: str | PathLike[str], height: int, width: int, how: str, *, smooth: bool = False) -> np.ndarray:
    """Return a picture resized to a fixed size, (height, width, 3) uint8.

    Parameters
    ----------
    path : str or path-like
        The file.
    height, width : int
        The size.
    how : str
        ``"pad"`` puts the whole picture in the middle of a white area. ``"crop"`` takes the largest part from the
        middle that has the right proportions. ``"squash"`` changes the proportions.
    smooth : bool
        Whether to use the Lanczos filter. The default is the bicubic filter, which networks expect.
    """
    from PIL import Image

    image, turn = _decoded(path, (height, width, how))
    filter_ = Image.Resampling.LANCZOS if smooth else Image.Resampling.BICUBIC
    if turn in _swapping():
        height, width = width, height
    scale = _scale(image.size, height, width, how)
    if how == "pad":
        size = _part_of(width, image.width * scale), _part_of(height, image.height * scale)
        box = None
    else:
        size = (width, height)
        box = None if how == "squash" else _middle(image.size, width / scale, height / scale)
    # The gap makes resizing large pictures several times as fast, without a visible difference.
    small = image if image.size == size and box is None else image.resize(size, filter_, box, reducing_gap=3.0)
    if turn is not None:
        small = small.transpose(turn)
        height, width = (width, height) if turn in _swapping() else (height, width)
    if small.size == (width, height):
        return np.asarray(small)
    white = Image.new("RGB", (width, height), "white")
    white.paste(small, ((width - small.width) // 2, (height - small.height) // 2))
    return np.asarray(white)


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Silence Pillow's warnings about metadata and sizes within the block.

    Warning filters apply to the whole process. If several threads open pictures, put one block around all of them.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL(\.|$)")
        yield


def is_picture(head: bytes) -> bool:
    """Return whether the first bytes of a file are those of a supported picture format."""
    return _format_of(head) is not None


def _format_of(head: bytes) -> str | None:
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "TIFF"
    # A text may start with the same two letters, so check the size of the BMP header too.
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124):
        return "BMP"
    return None


def _opener(format_: str) -> Callable[[BinaryIO, str], Any]:
    """Return the function that opens a format. `PIL.Image.open` has a pixel limit for the whole process instead."""
    from PIL import BmpImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

    openers: dict[str, Callable[[BinaryIO, str], Any]] = {
        "JPEG": JpegImagePlugin.JpegImageFile,
        "PNG": PngImagePlugin.PngImageFile,
        "GIF": GifImagePlugin.GifImageFile,
        "WebP": WebPImagePlugin.WebPImageFile,
        "TIFF": TiffImagePlugin.TiffImageFile,
        "BMP": BmpImagePlugin.BmpImageFile,
    }
    return openers[format_]


def _decoded(path: str | PathLike[str], least: tuple[int, int, str] | None) -> tuple[Image, Any]:
    """Return a picture as RGB, and the rotation it needs. A JPEG may be decoded at a reduced size."""
    check_readable(path)
    try:
        with Path(path).open("rb") as file:
            head = file.read(HEAD_BYTES)
            format_ = _format_of(head)
            if format_ is None:
                raise FileFormatError(f"{path}: {_what_it_is(head)}")
            if format_ == "WebP":  # opening it allocates memory for all pixels
                _check_size(path, _webp_size(head))
            file.seek(0)
            image = _opener(format_)(file, str(path))
            _check_size(path, image.size)
            if format_ == "TIFF":
                _check_strips(path, image)
            if least is not None and format_ == "JPEG":
                image.draft(None, _draft_size(image.size, *least))
            with _one_large if image.width * image.height > _LARGE else nullcontext():
                image.load()
                # Pillow rotates TIFF pictures itself.
                turn = None if format_ == "TIFF" else _turn(image)
                return _as_rgb(image), turn
    except VsenumbaError:
        raise
    except MemoryError as error:
        raise FileFormatError(f"{path}: the picture is too large for the available memory") from error
    except Exception as error:  # Pillow's decoders raise a dozen types of errors for damaged files
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FileFormatError(f"{path}: a broken picture: {reason:.120}") from error


def _what_it_is(head: bytes) -> str:
    if not head:
        return "an empty file"
    start = head.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page, not a picture"
    if start.startswith((b"<svg", b"<?xml")):
        return "an SVG or XML file, which is not supported; convert it to PNG"
    if head[4:8] == b"ftyp":
        return "a HEIC, AVIF or video file, which is not supported; convert it to JPEG or PNG"
    return "not a JPEG, PNG, WebP, GIF, TIFF or BMP picture"


def _check_size(path: str | PathLike[str], size: tuple[int, int]) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise FileFormatError(f"{path}: the picture is empty ({width} x {height} pixels)")
    if width * height > MAX_PIXELS:
        raise FileFormatError(
            f"{path}: the picture has {width:,} x {height:,} pixels, more than the limit of {MAX_PIXELS:,}; make it "
            "smaller"
        )


def _check_strips(path: str | PathLike[str], image: Any) -> None:
    """Raise an error for a TIFF file with missing strips or tiles, because Pillow would leave their pixels black."""
    # If the picture will be rotated, `image.size` is the size after the rotation.
    width, height = (max(extents[i] for _, extents, *_ in image.tile) for i in (2, 3)) if image.tile else (0, 0)
    if width * height < image.size[0] * image.size[1]:
        raise FileFormatError(
            f"{path}: a broken picture: only {width} x {height} of its {image.size} pixels are present"
        )


def _webp_size(head: bytes) -> tuple[int, int]:
    kind = head[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF


def _draft_size(size: tuple[int, int], height: int, width: int, how: str) -> tuple[int, int]:
    """Return the smallest size at which a picture may be decoded, whatever its rotation."""
    scale = _FINER * max(_scale(size, height, width, how), _scale(size, width, height, how))
    return math.ceil(size[0] * min(scale, 1)), math.ceil(size[1] * min(scale, 1))


def _scale(size: tuple[int, int], height: int, width: int, how: str) -> float:
    scales = width / size[0], height / size[1]
    return min(scales) if how == "pad" else max(scales)


def _part_of(most: int, n: float) -> int:
    return max(1, min(most, round(n)))


def _middle(size: tuple[int, int], width: float, height: float) -> tuple[float, float, float, float]:
    width, height = min(width, size[0]), min(height, size[1])
    left, top = (size[0] - width) / 2, (size[1] - height) / 2
    return left, top, left + width, top + height


def _turn(image: Image) -> Any:
    """Return the rotation that makes a picture upright; None if it is upright or its metadata are damaged."""
    from PIL.Image import Transpose

    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - a dozen types of errors here too
        return None
    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return turns.get(orientation) if isinstance(orientation, int) else None


def _swapping() -> tuple[Any, ...]:
    from PIL.Image import Transpose

    return Transpose.TRANSPOSE, Transpose.ROTATE_270, Transpose.TRANSVERSE, Transpose.ROTATE_90


def _as_rgb(image: Any) -> Image:
    from PIL import Image

    if image.mode == "F" or image.mode.startswith("I"):
        image = Image.fromarray(_bytes_of(np.asarray(image), sixteen=image.mode != "I" or image.format == "PNG"))
    sees_through = "transparency" in image.info or getattr(image.palette, "mode", "").endswith("A")
    if not (sees_through or image.mode in _TRANSPARENT):
        return image if type(image) is Image.Image and image.mode == "RGB" else image.convert("RGB")
    if image.mode == "La":  # Pillow can convert it only to LA
        image = image.convert("LA")
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    return white.convert("RGB")


def _bytes_of(values: np.ndarray, *, sixteen: bool) -> np.ndarray:
    """Scale grey values to bytes."""
    if values.dtype.kind != "f" and sixteen:
        # Use the upper byte, as Pillow does for 16-bit colours.
        return (np.clip(values, 0, 65535) >> 8).astype(np.uint8)
    least, greatest = float(values.min()), float(values.max())
    if not math.isfinite(least) or not math.isfinite(greatest):  # NaN makes both NaN
        raise ValueError("it contains NaN or infinite values")
    if values.dtype.kind == "f" and least >= 0 and greatest <= 1:
        least, greatest = 0.0, 1.0
    result = np.empty(values.shape, np.uint8)
    for start in range(0, len(values), _ROWS):  # a few rows at a time, because float64 needs much memory
        rows = values[start : start + _ROWS].astype(np.float64) - least
        result[start : start + _ROWS] = np.rint(rows * (255 / max(greatest - least, 1e-300)))
    return result
