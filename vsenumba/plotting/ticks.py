"""Ticks of a logarithmic axis: enough to read it by, and never so many that they lie on each other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axis import Axis

# The steps between powers of ten that have a label, while an axis reaches over less than so many powers of ten.
LABELLED = ((1.0, (1.0, 2.0, 3.0, 5.0)), (1.7, (1.0, 2.0, 5.0)), (3.0, (1.0, 3.0)), (math.inf, (1.0,)))


def label_log_axis(axis: Axis) -> None:
    """Label a logarithmic axis, whose limits are set, with plain numbers.

    matplotlib's own labels of the steps between powers of ten have another form than those of the powers, and lie on
    each other where an axis reaches over little more than one.
    """
    import numpy as np
    from matplotlib.ticker import LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    decades = math.log10(high / low)
    steps = next(steps for end, steps in LABELLED if decades < end)
    axis.set_major_locator(LogLocator(subs=steps))
    # Without the powers of ten that stand for numbers below .0001, beside which .001 looks like another kind of number.
    axis.set_major_formatter(lambda x, _: np.format_float_positional(float(f"{x:g}"), trim="-"))
    axis.set_minor_locator(LogLocator(subs=range(1, 10)))
    axis.set_minor_formatter(NullFormatter())
