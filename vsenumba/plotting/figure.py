"""The figures that this package makes: without pyplot, and yet shown by a notebook where one is a cell's last value."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

# Dots an inch: 7 inches are as wide as a notebook's column.
_DPI = 130


class ShownFigure(Figure):
    """A figure that notebooks can show, whether or not pyplot is in use."""

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=_DPI)
        return file.getvalue()
