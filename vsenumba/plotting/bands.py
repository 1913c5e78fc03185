"""Summarise the runs of one method, one per seed, as a line and a band, and draw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vsenumba.plotting.style import Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# matplotlib multiplies values when it scales the axes, so larger values would overflow.
_LARGEST = 1e100


class Band(NamedTuple):
    """The median and the range over the seeds at m points.

    Attributes
    ----------
    x, median, low, high : (m,) float64 array
        The points, and the median, the smallest and the largest value at each.
    """

    x: np.ndarray
    median: np.ndarray
    low: np.ndarray
    high: np.ndarray


def band_over_seeds(curves: Sequence[tuple[np.ndarray, np.ndarray]], times: Sequence[np.ndarray] | None = None) -> Band:
    """Compute the median and the range of several curves at all points of any of them.

    Between its points, a curve is interpolated linearly; beyond its ends it has no value. The band starts where the
    last curve starts, so that it does not jump when a curve joins. It ends where half of the curves or fewer continue.
    If the first curve ends up to a fifth before that, the band ends there, so that it does not jump when curves end one
    after another.

    Parameters
    ----------
    curves : sequence of (x, y)
        Two arrays per seed, with rising x. Points where x or y is not finite, or is too large to draw, are skipped.
    times : sequence of array, optional
        The rising times of all points, one array per curve. The band is then drawn over the median time of the curves
        at each x, where a curve that has ended counts as later than all others. The range is still the range at one x.
        A range at one time would be wide for curves that only differ in speed, above all where they start.

    Returns
    -------
    Band
        The band; without points if no curve has one.

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
    # More than half of the curves continue up to the lower median of their ends.
    half = ends[(len(ends) - 1) // 2]
    end = max(start, ends[ends >= 0.8 * half][0])
    grid = np.unique(np.concatenate([x for x, _, _ in kept]))
    grid = grid[(grid >= start) & (grid <= end)]
    values = np.array([np.interp(grid, x, y, left=np.nan, right=np.nan) for x, y, _ in kept])
    where = grid if times is None else np.median([np.interp(grid, x, t, right=np.inf) for x, _, t in kept], axis=0)
    band = np.array([where, np.nanmedian(values, axis=0), np.nanmin(values, axis=0), np.nanmax(values, axis=0)])
    return Band(*band[:, np.isfinite(where)])


def draw_bands(panel: Axes, bands: Mapping[str, Band], styles: Mapping[str, Look]) -> None:
    """Draw the line and the band of every method in its style.

    Parameters
    ----------
    panel : matplotlib.axes.Axes
        The axes to draw on.
    bands : mapping from str to Band
        The bands by the names of the methods.
    styles : mapping from str to Look
        The style of each method.
    """
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
            # Each curve has a few markers, shifted so that curves that lie together do not hide each other's markers.
            markevery=(0.03 * i, 0.2) if len(band.x) > 1 else None,
            label=name,
        )
