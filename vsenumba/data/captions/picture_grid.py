"""Features of small pictures, computed without a neural network: a grid of cells with colours and edges."""

from __future__ import annotations

import numpy as np

from vsenumba.checks import as_array, is_whole
from vsenumba.errors import InputError

# The number of edge directions, and the number of mean colours along each side of a cell.
_DIRECTIONS = 8
_COLOURS = 4


def grid_features(pictures: np.ndarray, cells: int = 4) -> np.ndarray:
    """Split pictures into a grid of cells and compute the features of each cell.

    Parameters
    ----------
    pictures : (n, height, width, 3) uint8 array
        The pictures. Height and width must be multiples of four times `cells`.
    cells : int
        The number of cells along each side.

    Returns
    -------
    (n, cells², 58) float16 array
        The features of each cell, row by row: the mean colours of its 4 by 4 parts (48 numbers from -1 to 1), the
        strength of its edges in 8 directions (8 numbers from 0), and its position (2 numbers from -1 to 1).

    Examples
    --------
    >>> grid_features(np.zeros((1, 64, 64, 3), np.uint8)).shape
    (1, 16, 58)
    """
    pictures = as_array("pictures", pictures)
    if not is_whole(cells):
        raise InputError(f"cells must be a whole number of at least 1, not {cells!r}")
    cells = int(cells)
    if pictures.ndim != 4 or pictures.shape[3] != 3 or pictures.dtype != np.uint8:
        raise InputError(f"pictures must be (n, height, width, 3) uint8, not {pictures.shape} {pictures.dtype}")
    n, height, width, _ = pictures.shape
    if 0 in (height, width) or height % (_COLOURS * cells) or width % (_COLOURS * cells):
        raise InputError(f"pictures of {height} x {width} cannot be divided into {cells} x {cells} equal cells")
    places = (np.arange(cells) + 0.5) * 2 / cells - 1
    place = np.stack(np.meshgrid(places, places, indexing="ij"), axis=-1).reshape(-1, 2)
    result = np.empty((n, cells * cells, _COLOURS**2 * 3 + _DIRECTIONS + 2), np.float16)
    for first in range(0, n, 256):
        some = pictures[first : first + 256].astype(np.float32) / 127.5 - 1
        result[first : first + 256] = np.concatenate(
            [_colours(some, cells), _edges(some, cells), np.broadcast_to(place, (len(some), cells * cells, 2))], axis=2
        )
    return result


def _colours(pictures: np.ndarray, cells: int) -> np.ndarray:
    """Return the mean colours of the cells' parts, (n, cells², 48)."""
    n, height, width, _ = pictures.shape
    sides = height // (_COLOURS * cells), width // (_COLOURS * cells)
    means = pictures.reshape(n, cells, _COLOURS, sides[0], cells, _COLOURS, sides[1], 3).mean(axis=(3, 6))
    return means.transpose(0, 1, 3, 2, 4, 5).reshape(n, cells * cells, -1)


def _edges(pictures: np.ndarray, cells: int) -> np.ndarray:
    """Return the mean edge strength in each direction, (n, cells², 8)."""
    n, height, width, _ = pictures.shape
    grey = pictures.mean(axis=3)
    down, right = np.gradient(grey, axis=(1, 2))
    strength = np.hypot(down, right)
    # It does not matter which side of an edge is lighter.
    turn = (np.arctan2(down, right) / np.pi * _DIRECTIONS).astype(int) % _DIRECTIONS
    result = np.zeros((n, cells * cells, _DIRECTIONS), np.float32)
    for direction in range(_DIRECTIONS):
        of_it = np.where(turn == direction, strength, 0).reshape(n, cells, height // cells, cells, width // cells)
        result[:, :, direction] = of_it.mean(axis=(2, 4)).reshape(n, -1)
    return result * _DIRECTIONS
