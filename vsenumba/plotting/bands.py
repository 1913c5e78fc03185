"""Several runs of one method, one per seed, summed up as a line and a band, and drawn so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vsenumba.plotting.style import Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Axes are scaled by products of what they show.
_LARGEST = 1e100


class Band(NamedTuple):
    """Median, smallest and largest value over the seeds, at each of m points, all (m,) float64."""

    x: np.ndarray
    median: np.ndarray
    low: np.ndarray
    high: np.ndarray


def band_over_seeds(curves: Sequence[tuple[np.ndarray, np.ndarray]], times: Sequence[np.ndarray] | None = None) -> Band:
    """Return the median and the range of several curves at the points of any of them.

    A curve is read between its points along a straight line, and beyond its ends not at all. The band begins
    where the last curve begins, so that it does not jump as curves join in. It ends where no more than half of
    the curves go on; or up to a fifth before that, where the first curve ends, so that it does not jump as
    curves end one after the other.

    Parameters
    ----------
    curves : sequence of (x, y)
        One pair of arrays per seed, x rising; points where x or y is not finite, or too large to be drawn, are left
        out.
    times : sequence of array, optional
        The time of every point of every curve, rising. The band then stands over the median of the curves' times
        at each x, where a curve that has ended counts as later than all. Its range stays that of the curves at
        one x: were they compared at one time, curves that are alike but for their speed would make a wide band,
        most of all where they begin.

    Returns
    -------
    Band
        Without a point if no curve has one.

    Examples
    --------
    >>> x = np.array([1, 2, 3])
    >>> band = band_over_seeds([(x, np.array([0.1, 0.5, 0.7])), (x, np.array([0.3, 0.5, 0.9]))])
    >>> band.median
    array([0.2, 0.5, 0.8])
    """
    kept = []
    for i, (x, y) in enumerate(curves):
        columns = np.array([x, y, x if times is None else times[i]], dtype=float)
        columns = columns[:, (np.abs(columns) < _LARGEST).all(axis=0)]
        if columns.size:
            kept.append(columns)
    if not kept:
        return Band(*np.empty((4, 0)))
    start = max(x[0] for x, _, _ in kept)
    ends = np.sort([x[-1] for x, _, _ in kept])
    # More than half of the curves go on to the lower median of their ends.
    half = ends[(len(ends) - 1) // 2]
    end = max(start, ends[ends >= 0.8 * half][0])
    grid = np.unique(np.concatenate([x for x, _, _ in kept]))
    grid = grid[(grid >= start) & (grid <= end)]
    values = np.array([np.interp(grid, x, y, left=np.nan, right=np.nan) for x, y, _ in kept])
    where = grid if times is None else np.median([np.interp(grid, x, t, right=np.inf) for x, _, t in kept], axis=0)
    band = np.array([where, np.nanmedian(values, axis=0), np.nanmin(values, axis=0), np.nanmax(values, axis=0)])
    return Band(*band[:, np.isfinite(where)])


def draw_bands(panel: Axes, bands: Mapping[str, Band], styles: Mapping[str, Look]) -> None:
    """Draw the line and the band of every method, in its look."""
    for i, (name, band) in enumerate(bands.items()):
        color, linestyle, marker = styles[name]
        if len(band.x) > 1:
            panel.fill_between(band.x, band.low, band.high, color=color, alpha=0.18, linewidth=0)
        panel.plot(
            band.x,
            band.median,
            color=color,
            linestyle=linestyle,
            marker=marker,
            markersize=4,
            markeredgewidth=0,
            # A few markers per curve, shifted so that curves that lie together do not hide each other's.
            markevery=(0.03 * i, 0.2) if len(band.x) > 1 else None,
            label=name,
        )
