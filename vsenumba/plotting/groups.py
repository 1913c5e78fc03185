"""The panel of groups: how good each method is for rare labels and for common ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from vsenumba.plotting.bands import Band, draw_bands
from vsenumba.plotting.style import Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_groups(
    panel: Axes, groups: Mapping[str, Any], looks: Mapping[str, Look], references: Mapping[str, Mapping[str, Any]]
) -> None:
    """Draw each method's values over the groups, the median and the range of its runs.

    Parameters
    ----------
    panel : matplotlib.axes.Axes
        Where to draw.
    groups : mapping
        The groups, as `vsenumba.experiments.Comparison.groups` has them; a method that is not there is left out.
    looks : mapping of str to Look
        The methods to draw, in this order.
    references : mapping of str to mapping
        The reference models to draw, and the properties of their lines.
    """
    values = {name: np.asarray(runs, dtype=float) for name, runs in groups["values"].items() if runs}
    places = np.arange(len(groups["names"]), dtype=float)
    for name in (name for name in references if name in values):
        panel.plot(places, np.median(values[name], axis=0), **references[name])
    bands = {
        name: Band(places, np.median(values[name], axis=0), values[name].min(axis=0), values[name].max(axis=0))
        for name in looks
        if name in values
    }
    draw_bands(panel, bands, looks)
    panel.set_xticks(places, groups["names"], rotation=60, rotation_mode="anchor", horizontalalignment="right")
    panel.set_ylim(bottom=0)
    panel.set_xlabel("training images of a label")
