"""Thumbnails for sheets; an unreadable picture does not stop the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vsenumba.errors import VsenumbaError
from vsenumba.pictures.decode import thumbnail


def thumbnail_or_none(path: Path, side: int) -> np.ndarray | None:
    """Return a picture's thumbnail, (side, side, 3) uint8; None if the picture is missing or cannot be read."""
    try:
        return thumbnail(path, side)
    except VsenumbaError:
        return None
