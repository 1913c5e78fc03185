"""Thumbnails on sheets: what cannot be drawn is told from what can."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vsenumba.errors import FileFormatError, VsenumbaError


def thumbnail_or_none(path: Path, side: int) -> np.ndarray | None:
    """Return a picture's thumbnail, (side, side, 3) uint8; None where there is no picture, or none that can be read."""
    try:
        return thumbnail(path, side)
    except VsenumbaError:
        return None


def thumbnail(path: Path, side: int) -> np.ndarray:
    """Return a picture drawn whole and centred on white, as (side, side, 3) uint8."""
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as file:
            picture = ImageOps.exif_transpose(file).convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise FileFormatError(f"cannot read {path} as a picture: {error}") from error
    picture = ImageOps.contain(picture, (side, side), Image.Resampling.LANCZOS)
    canvas = Image.new("RGBA", (side, side), "white")
    canvas.alpha_composite(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return np.asarray(canvas.convert("RGB"))
