"""A contact sheet: small pictures beside each other, each with a line of text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vsenumba.plotting.style import FULL_WIDTH, RC

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLUMNS = 10


def contact_sheet(pictures: np.ndarray, lines: Sequence[str], title: str = "") -> Figure:
    """Draw pictures in rows of ten.

    Parameters
    ----------
    pictures : (n, height, width, 3) uint8 array
        The pictures; n at least 1.
    lines : sequence of str
        What stands below each.
    title : str
        What stands above all.

    Returns
    -------
    matplotlib.figure.Figure
        To be written with `save_figure`.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    n_columns = min(len(pictures), _COLUMNS)
    n_rows = math.ceil(len(pictures) / n_columns)
    side = FULL_WIDTH / _COLUMNS
    with mpl.rc_context(RC):
        figure = Figure(figsize=(side * n_columns, (side + 0.18) * n_rows + 0.3), layout="constrained")
        for axes, picture, line in zip(
            figure.subplots(n_rows, n_columns, squeeze=False).flat, pictures, lines, strict=False
        ):
            axes.imshow(picture)
            axes.set_title(line, fontsize=6, y=-0.28)
        for axes in figure.axes:
            axes.set_axis_off()
        if title:
            figure.suptitle(title, fontsize=8)
    return figure
