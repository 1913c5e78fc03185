"""Ticks of a logarithmic axis: enough to read values, without labels that overlap."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axis import Axis

# Each entry has a limit, and the steps to label between two powers of ten if an axis spans fewer powers than the limit.
LABELLED = ((1.0, (1.0, 2.0, 3.0, 5.0)), (1.7, (1.0, 2.0, 5.0)), (3.0, (1.0, 3.0)), (math.inf, (1.0,)))


def label_log_axis(axis: Axis) -> None:
    """Label a logarithmic axis with plain numbers; its limits must be set.

    matplotlib would write the steps between powers of ten in another form than the powers. Its labels overlap if an
    axis spans little more than one power of ten.
    """
    import numpy as np
    from matplotlib.ticker import LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    if low <= 0:
        # The axes had limits of a linear axis, and a logarithmic one cannot show 0.
        axis.axes.autoscale(axis="x" if axis is axis.axes.xaxis else "y")
        low, high = axis.get_view_interval()
    decades = math.log10(high / low)
    steps = next(steps for end, steps in LABELLED if decades < end)
    axis.set_major_locator(LogLocator(subs=steps))
    # Small numbers are written without powers of ten, so that all labels have the same form.
    axis.set_major_formatter(lambda x, _: np.format_float_positional(float(f"{x:g}"), trim="-"))
    axis.set_minor_locator(LogLocator(subs=range(1, 10)))
    axis.set_minor_formatter(NullFormatter())
