"""The built-in backbone, which needs no weights: edges, colours and layout.

The formulas are in ``docs/reference/data.md``. The direction of an edge and its shares of two bins depend only on the
two differences of a pixel. They are looked up in tables of all pairs of differences, which gives the same numbers in
a fifth of the time.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

import numpy as np

from vsenumba.checks import as_array
from vsenumba.data.backbone_id import BackboneId
from vsenumba.errors import InputError
from vsenumba.pictures.backbones.backbone import Backbone, refuse_settings

CELLS = 4
ORIENTATIONS = 9
COLOURS = 4
N_EDGES = CELLS * CELLS * ORIENTATIONS
N_FEATURES = N_EDGES + COLOURS**3 + CELLS * CELLS * 3
SIDE = 64

# Increase this when the vector of any picture changes: features of different versions cannot be compared.
_VERSION = 1

_SPAN = 511  # differences of two bytes: -255..255
_BATCH = 32


class DescriptorBackbone(Backbone):
    """256 bytes per picture, without weights: edges by position and direction, colours, and colours by position.

    The whole picture is fitted into a white square of 64 by 64 pixels. Compare the vectors by L1 distance.
    """

    name = "descriptors"
    description = "built in: edges, colours and layout, 256 numbers a picture; needs nothing"

    def __init__(self) -> None:
        self.id = BackboneId(self.name, hashlib.sha256(f"{self.name} {_VERSION}".encode()).hexdigest())
        self.height = self.width = SIDE
        self.resize = "pad"
        self.smooth = True

    @classmethod
    def recognises(cls, value: Any) -> bool:
        """See `Backbone.recognises`."""
        return isinstance(value, str) and value == cls.name

    @classmethod
    def make(cls, value: Any, settings: dict[str, Any]) -> DescriptorBackbone:
        """See `Backbone.make`."""
        refuse_settings(cls.name, settings, ())
        return cls()

    def describe(self, pictures: np.ndarray) -> np.ndarray:
        """See `Backbone.describe`."""
        return describe(pictures)


def describe(thumbnails: np.ndarray) -> np.ndarray:
    """Compute the feature vectors of thumbnails.

    Parameters
    ----------
    thumbnails : (n, s, s, 3) uint8 array
        RGB thumbnails. `s` must be a multiple of 4.

    Returns
    -------
    (n, 256) uint8 array
        Columns 0 to 143 are the edges, 144 to 207 the colours, and 208 to 255 the layout. The scales of the three
        parts were chosen by measurement for the L1 distance. The formulas are in ``docs/reference/data.md``.

    Examples
    --------
    >>> describe(np.zeros((1, 64, 64, 3), np.uint8))[0, [0, 144, 208]]
    array([  0, 255,  18], dtype=uint8)
    """
    thumbnails = as_array("thumbnails", thumbnails)
    square = thumbnails.ndim == 4 and thumbnails.shape[1] == thumbnails.shape[2] and thumbnails.shape[3] == 3
    if not square or thumbnails.dtype != np.uint8 or thumbnails.shape[1] % CELLS or not thumbnails.shape[1]:
        raise InputError(
            f"thumbnails must be (n, s, s, 3) uint8, s a multiple of {CELLS}, not {thumbnails.shape} {thumbnails.dtype}"
        )
    result = np.empty((len(thumbnails), N_FEATURES), np.uint8)
    for start in range(0, len(thumbnails), _BATCH):
        some = thumbnails[start : start + _BATCH]
        parts = (np.sqrt(_shares(_edges(some))), np.sqrt(_shares(_colours(some))), _layout(some) / 2)
        result[start : start + len(some)] = np.rint(255 * np.concatenate(parts, axis=1)).astype(np.uint8)
    return result


@lru_cache(maxsize=1)
def _edge_tables() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return the lower and the upper bin of an edge, each with its weight, for every pair of differences."""
    dy, dx = np.divmod(np.arange(_SPAN * _SPAN), _SPAN)
    dx, dy = (dx - 255).astype(np.float64), (dy - 255).astype(np.float64)
    position = (np.arctan2(dy, dx) / np.pi % 1) * ORIENTATIONS - 0.5
    lower = np.floor(position)
    share = position - lower
    length = np.hypot(dx, dy)
    below, above = ((bin_.astype(int) % ORIENTATIONS).astype(np.int32) for bin_ in (lower, lower + 1))
    return (below, (1 - share) * length), (above, share * length)


def _edges(rgb: np.ndarray) -> np.ndarray:
    """Gradient length by cell and orientation; each pixel counts towards its two nearest orientations."""
    n, side = rgb.shape[:2]
    values = np.ascontiguousarray(np.moveaxis(rgb, 3, 0), np.int16)  # (3, n, s, s)
    dx, dy = np.zeros_like(values), np.zeros_like(values)
    np.subtract(values[..., 2:], values[..., :-2], out=dx[..., 1:-1])
    np.subtract(values[..., 2:, :], values[..., :-2, :], out=dy[..., 1:-1, :])
    pair = dy.astype(np.int32) * _SPAN + (dx + np.int32(255 * _SPAN + 255))
    square = np.square(dx, dtype=np.int32) + np.square(dy, dtype=np.int32)
    # Use the channel with the strongest edge; the first one if there are ties.
    best, strength = pair[0], square[0]
    for channel in (1, 2):
        stronger = square[channel] > strength
        best = np.where(stronger, pair[channel], best)
        strength = np.maximum(strength, square[channel])
    place = np.arange(side) * CELLS // side
    cell = (place[:, None] * CELLS + place) * ORIENTATIONS
    slot = (np.arange(n)[:, None, None] * N_EDGES + cell).astype(np.int32)
    histogram = np.zeros(n * N_EDGES)
    for bins, weights in _edge_tables():
        histogram += np.bincount((slot + bins[best]).ravel(), weights[best].ravel(), n * N_EDGES)
    return histogram.reshape(n, N_EDGES)


def _colours(rgb: np.ndarray) -> np.ndarray:
    """Count the pixels in each of 4 × 4 × 4 boxes of red, green and blue."""
    n = len(rgb)
    red, green, blue = np.moveaxis(rgb // (256 // COLOURS), 3, 0)
    box = (red * COLOURS + green) * COLOURS + blue + (np.arange(n) * COLOURS**3)[:, None, None]
    return np.bincount(box.ravel(), minlength=n * COLOURS**3).reshape(n, COLOURS**3)


def _layout(rgb: np.ndarray) -> np.ndarray:
    """Mean ink (255 minus the value) by cell and channel, normalised to unit Euclidean length."""
    n, side = rgb.shape[:2]
    step = side // CELLS
    # Integer sums are exact in any order, and so is dividing them by a power of two.
    sums = rgb.reshape(n, CELLS, step, CELLS, step, 3).sum(axis=(2, 4), dtype=np.int64)
    ink = 255 - (sums / step**2).reshape(n, CELLS * CELLS * 3)
    return ink / np.maximum(np.sqrt(np.square(ink).sum(axis=1)), 1e-9)[:, None]


def _shares(histogram: np.ndarray) -> np.ndarray:
    return histogram / np.maximum(histogram.sum(axis=1), 1e-9)[:, None]
