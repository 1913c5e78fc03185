"""Thumbnails of SVG files, and which of them show the same picture or none."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = 64


def render(path: Path, size: int = SIZE) -> np.ndarray:
    """Return an SVG as a (size, size, 3) uint8 array: whole, centred, on white; all white if it cannot be drawn.

    It is drawn at twice the size and scaled down with a Lanczos filter, which keeps thin lines visible.
    """
    drawn = 2 * size
    command = ["rsvg-convert", "--width", str(drawn), "--height", str(drawn), "--keep-aspect-ratio", path.name]
    done = subprocess.run(command, cwd=path.parent, capture_output=True, check=False)
    canvas = Image.new("RGBA", (drawn, drawn), "white")
    if done.returncode == 0 and done.stdout:
        picture = Image.open(io.BytesIO(done.stdout)).convert("RGBA")
        canvas.alpha_composite(picture, ((drawn - picture.width) // 2, (drawn - picture.height) // 2))
    return np.asarray(canvas.convert("RGB").resize((size, size), Image.Resampling.LANCZOS))


def render_all(paths: Sequence[Path]) -> np.ndarray:
    """Return the thumbnails of all files, (n, 64, 64, 3) uint8, one thread a core."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.stack(list(pool.map(render, paths)))


def is_blank(thumbnails: np.ndarray, deviation: float = 2.0) -> np.ndarray:
    """Return which thumbnails show nothing: a standard deviation of less than two grey levels."""
    flat = thumbnails.reshape(len(thumbnails), -1)
    return np.array([one.std() < deviation for one in flat])


def same_picture(thumbnails: np.ndarray, titles: Sequence[str], difference: float = 0.1) -> np.ndarray:
    """Return for each picture the first one that shows the same.

    Two show the same where their thumbnails are equal; or where their titles are equal and the thumbnails
    differ by less than a tenth of a grey level on average, which is a handful of pixels.

    Parameters
    ----------
    thumbnails : (n, 64, 64, 3) uint8 array
    titles : sequence of n str
    difference : float
        The mean absolute difference from which on two thumbnails are two pictures.

    Returns
    -------
    (n,) int64 array
        Positions, each at most its own; a picture like no earlier one has its own position.
    """
    flat = thumbnails.reshape(len(thumbnails), -1)
    first = np.arange(len(flat))
    by_pixels: dict[bytes, int] = {}
    by_title: dict[str, list[int]] = {}
    for i, row in enumerate(flat):
        first[i] = by_pixels.setdefault(row.tobytes(), i)
        if first[i] < i:
            continue
        others = by_title.setdefault(titles[i], [])
        if others:
            earlier = flat[others]
            # The absolute difference of bytes, without leaving bytes: the larger minus the smaller.
            distance = (np.maximum(earlier, row) - np.minimum(earlier, row)).mean(axis=1)
            nearest = int(distance.argmin())
            if distance[nearest] < difference:
                first[i] = others[nearest]
                continue
        others.append(i)
    return first
