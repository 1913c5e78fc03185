"""The layout of figures with training curves, one panel per set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def draw_panels(
    everything: Mapping[str, Any], draw_curves: Callable[[Any, Any], None], steps: Sequence[int] = (1,)
) -> Any:
    """Return a figure of MRR against training seconds, on a logarithmic axis.

    Parameters
    ----------
    everything : mapping from str to anything
        The results of each set, by name.
    draw_curves : callable
        A function of a panel and the results of a set, which draws its curves with labels.
    steps : sequence of int
        The ticks of the axis are these numbers times powers of ten.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

    from vsenumba.plotting.style import RC

    columns = min(2, len(everything))
    rows = -(-len(everything) // columns)
    with mpl.rc_context(RC):
        drawn = Figure(figsize=(3.5 * columns, 2.6 * rows + 0.5), layout="constrained")
        panels = drawn.subplots(rows, columns, squeeze=False).ravel()
        for panel, (name, known) in zip(panels, everything.items(), strict=False):
            draw_curves(panel, known)
            panel.set(xscale="log", xlabel="training seconds", ylabel="MRR")
            panel.set_title(name, loc="left")
            panel.xaxis.set_major_locator(LogLocator(subs=steps))
            panel.xaxis.set_major_formatter(FormatStrFormatter("%g"))
            panel.xaxis.set_minor_formatter(NullFormatter())
        for panel in panels[len(everything) :]:
            panel.set_visible(False)
        handles, labels = panels[0].get_legend_handles_labels()
        drawn.legend(handles, labels, loc="outside lower center", ncols=2 * columns, frameon=False)
    return drawn
