"""The feature vector of a thumbnail as ``docs/reference/data.md`` has it, one picture at a time, without tables."""

from __future__ import annotations

import numpy as np

CELLS = 4
ORIENTATIONS = 9
COLOURS = 4


def describe(thumbnails):
    return np.stack([_describe_one(one.astype(np.float64)) for one in thumbnails])


def _describe_one(rgb):
    parts = (np.sqrt(_shares(_edges(rgb))), np.sqrt(_shares(_colours(rgb))), _layout(rgb) / 2)
    return np.rint(255 * np.concatenate(parts)).astype(np.uint8)


def _edges(rgb):
    """Gradient length by cell and orientation, each pixel shared between its two nearest orientations."""
    dx, dy = np.zeros_like(rgb), np.zeros_like(rgb)
    dx[:, 1:-1] = rgb[:, 2:] - rgb[:, :-2]
    dy[1:-1] = rgb[2:] - rgb[:-2]
    strongest = (dx**2 + dy**2).argmax(axis=2)[..., None]
    dx, dy = (np.take_along_axis(d, strongest, axis=2)[..., 0] for d in (dx, dy))
    position = (np.arctan2(dy, dx) / np.pi % 1) * ORIENTATIONS - 0.5
    lower = np.floor(position)
    share = position - lower
    rows, columns = np.indices(dx.shape) * CELLS // len(rgb)
    cell = (rows * CELLS + columns) * ORIENTATIONS
    histogram = np.zeros(CELLS * CELLS * ORIENTATIONS)
    for bin_, weight in ((lower, 1 - share), (lower + 1, share)):
        slot = cell + bin_.astype(int) % ORIENTATIONS
        histogram += np.bincount(slot.ravel(), (weight * np.hypot(dx, dy)).ravel(), len(histogram))
    return histogram


def _colours(rgb):
    """Pixels in each of 4 × 4 × 4 boxes of red, green and blue."""
    red, green, blue = np.moveaxis(rgb.astype(int) * COLOURS // 256, 2, 0)
    return np.bincount(((red * COLOURS + green) * COLOURS + blue).ravel(), minlength=COLOURS**3)


def _layout(rgb):
    """Mean ink (255 less the value) by cell and channel, of unit Euclidean length."""
    step = len(rgb) // CELLS
    ink = 255 - rgb.reshape(CELLS, step, CELLS, step, 3).mean(axis=(1, 3)).ravel()
    return ink / max(np.linalg.norm(ink), 1e-9)


def _shares(histogram):
    return histogram / max(histogram.sum(), 1e-9)
