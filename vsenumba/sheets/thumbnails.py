"""Thumbnails for sheets; an unreadable picture does not stop the others."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from vsenumba.errors import VsenumbaError
from vsenumba.pictures.decode import thumbnail

# Maximum bytes of a thumbnail in an HTML file, before base64 turns three bytes into four.
MAX_JPEG = 10_500
_QUALITIES = (85, 75, 62, 48, 34, 20)


def thumbnail_or_none(path: Path, side: int) -> np.ndarray | None:
    """Return a picture's thumbnail, (side, side, 3) uint8; None if the picture is missing or cannot be read."""
    try:
        return thumbnail(path, side)
    except VsenumbaError:
        return None


def jpeg_of(pixels: np.ndarray) -> bytes:
    """Encode a thumbnail as a JPEG of at most `MAX_JPEG` bytes, with lower quality if it is full of detail."""
    from PIL import Image

    picture = Image.fromarray(pixels)
    for quality in _QUALITIES:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality, optimize=True)
        if file.tell() <= MAX_JPEG:
            break
    return file.getvalue()
