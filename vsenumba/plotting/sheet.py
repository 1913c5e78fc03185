"""A contact sheet: small pictures beside each other, each with a line of text."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vsenumba.errors import InputError
from vsenumba.plotting.letters import AS_IT_IS, lay_out, shortened, width_of
from vsenumba.plotting.style import FULL_WIDTH, RC
from vsenumba.printable import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 10
# Inches: of a column, and of a line of text in the size that is used.
SIDE = FULL_WIDTH / COLUMNS
LINE_HEIGHT = 0.09
FONT_SIZE = 5
# Of that size, letters that go below a picture.
LETTERS = 13
# Lines that a name may take; a longer one loses its middle.
NAME_LINES = 2


def contact_sheet(pictures: np.ndarray, lines: Sequence[str], title: str = "") -> Figure:
    r"""Draw pictures in rows of ten.

    Parameters
    ----------
    pictures : (n, height, width, 3) uint8 array
        The pictures; n at least 1.
    lines : sequence of str
        What stands below each, such as its name and a score with a line break, ``\n``, between them. A line that is
        too long for the width of a picture goes on in a second one, and of a longer one the middle is left out.
    title : str
        What stands above all.

    Returns
    -------
    matplotlib.figure.Figure
        To be written with `save_figure`.

    Raises
    ------
    InputError
        If there is no picture, or not a line for each.
    """
    import matplotlib as mpl

    from vsenumba.plotting.figure import ShownFigure

    if len(pictures) == 0 or len(pictures) != len(lines):
        raise InputError(f"a sheet needs a line for each of its pictures, got {len(lines)} for {len(pictures)}")
    texts = ["\n".join(_below(part) for part in line.split("\n")) for line in lines]
    n_rows = math.ceil(len(pictures) / COLUMNS)
    heading = textwrap.wrap(printable(title), 100)
    n_lines = max(text.count("\n") + 1 for text in texts)
    height = (SIDE + LINE_HEIGHT * (n_lines + 1)) * n_rows + 0.15 * (len(heading) + 1)
    with mpl.rc_context(RC | AS_IT_IS):
        figure = ShownFigure(figsize=(FULL_WIDTH, height), layout="constrained")
        panels = figure.subplots(n_rows, COLUMNS, squeeze=False).ravel()
        for axes, picture, text in zip(panels, pictures, texts, strict=False):
            axes.imshow(picture)
            axes.set_xlabel(text, fontsize=FONT_SIZE, labelpad=2, linespacing=1.1)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        for axes in panels[len(pictures) :]:
            axes.set_axis_off()
        if heading:
            figure.suptitle("\n".join(heading), fontsize=8)
        lay_out(figure)
    return figure


def _below(text: str) -> str:
    """Return a text in lines as wide as a picture."""
    left = shortened(printable(text), NAME_LINES * LETTERS - 1)
    lines = [""]
    for letter in left:
        if width_of(lines[-1] + letter) > LETTERS:
            lines.append("")
        lines[-1] += letter
    return "\n".join(lines)
