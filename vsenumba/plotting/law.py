"""The figure of a sampler's law: how probable each label is as a negative, by its true rank, and what was drawn."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vsenumba.errors import InputError
from vsenumba.plotting.letters import AS_IT_IS, lay_out
from vsenumba.plotting.style import FULL_WIDTH, RC, REFERENCE_COLOR, REFERENCE_LINESTYLES, looks
from vsenumba.plotting.ticks import label_log_axis
from vsenumba.printable import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Inches.
HEIGHT = 5.0
# Bins in each tenfold of ranks, where there are as many ranks.
BINS_PER_DECADE = 12
# The axis of probabilities reaches down to the law's rarest label, but not below this share of uniform: a law that
# falls like the rank law's would press all else to the top.
FLOOR = 1e-3
# Of the axis of ranks: left of where rank 1 begins, at 1/2, to leave room for a mark.
LEFT_END = 0.44
MANY_DOTS = 3_000


def law_figure(
    law: Any,
    counts: Any,
    *,
    n_given_up: int = 0,
    name: str = "sampler",
    references: Mapping[str, Any] | None = None,
    own_ranks: Any = (),
    title: str | None = None,
) -> Figure:
    r"""Draw a sampler's law of one image against the labels' true ranks, with a histogram of draws over it.

    Above, the probability of a label: a dot for each, a line for the mean of the law over a bin of ranks, and a bar
    for the share of the draws that fell on a label of that bin. Below, the probability of all labels up to a rank.
    Both axes of the upper panel are logarithmic; bins are about equally wide there. Labels that the law rules out
    stand as ticks at the bottom.

    Parameters
    ----------
    law : (m,) array
        The probability of each label that is not the image's own, by rank, best first.
    counts : (m,) array
        How often each was drawn.
    n_given_up : int
        How many draws returned nothing; the legend says it.
    name : str
        What the sampler is called; the name of a known sampler brings its colour.
    references : mapping from str to (m,) array, optional
        Other laws over the same labels, for comparison; a thin line each.
    own_ranks : array of int
        For each of the image's own labels, how many others score above it; a mark each.
    title : str, optional
        A line above the panels.

    Returns
    -------
    matplotlib.figure.Figure
        7 inches wide; to be written with `save_figure`.

    Raises
    ------
    InputError
        If the arrays have different lengths or hold nothing.

    Examples
    --------
    >>> law = np.array([0.5, 0.3, 0.2])
    >>> figure = law_figure(law, [52, 29, 19], name="rank", references={"uniform": np.full(3, 1 / 3)})
    >>> [panel.get_ylabel() for panel in figure.axes]
    ['probability of a label', 'probability\nup to the rank']
    """
    import matplotlib as mpl

    from vsenumba.plotting.figure import ShownFigure

    law, counts = np.asarray(law, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    others = {label: np.asarray(one, dtype=np.float64) for label, one in (references or {}).items()}
    for what, one in {"counts": counts, **others}.items():
        if law.ndim != 1 or len(law) == 0 or one.shape != law.shape:
            raise InputError(f"law and {what} must be one number per label, at least one, not {law.shape}, {one.shape}")
    color = looks([name])[name].color
    with mpl.rc_context(RC | AS_IT_IS):
        figure = ShownFigure(figsize=(FULL_WIDTH, HEIGHT), dpi=200, layout="constrained")
        panels = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
        draw_probabilities(panels[0], law, counts, n_given_up, color, name)
        _draw_cumulated(panels[1], law, counts, color)
        draw_references(panels, others)
        draw_own(panels[0], np.asarray(own_ranks, dtype=np.float64))
        _draw_legend(figure, panels[0], list(others))
        if title is not None:
            figure.suptitle("\n".join(textwrap.wrap(printable(title), 100)), fontsize=8.5)
        label_log_axis(panels[0].yaxis)
        lay_out(figure)
    return figure


def rank_bins(n_ranks: int) -> np.ndarray:
    """Return the edges of bins of the ranks 0..n - 1, about equally wide on a logarithmic axis, each of a rank or more.

    Examples
    --------
    >>> rank_bins(30)
    array([ 0,  1,  2,  3,  4,  5,  6,  7,  9, 11, 13, 16, 20, 25, 30])
    """
    n_bins = max(1, round(BINS_PER_DECADE * np.log10(n_ranks + 1)))
    return np.unique(np.round(np.geomspace(1, n_ranks + 1, n_bins + 1)).astype(np.int64)) - 1


def _per_label(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.add.reduceat(values, edges[:-1]) / np.diff(edges)


def draw_probabilities(
    panel: Axes, law: np.ndarray, counts: np.ndarray, n_given_up: int, color: str, name: str
) -> None:
    """Draw the law as dots and a line, the draws as bars."""
    from matplotlib.lines import Line2D
    from matplotlib.patheffects import Normal, Stroke

    edges = rank_bins(len(law))
    # Rank r, counted from 1, reaches from r - 1/2 to r + 1/2.
    borders = edges + 0.5
    ranks = np.arange(1, len(law) + 1)
    possible = law > 0
    uniform = 1 / len(law)
    low = max(law[possible].min(initial=uniform / 5) / 2, FLOOR * uniform)
    panel.set_xscale("log")
    panel.set_yscale("log")
    if possible.any():
        shown = possible & (law >= low)
        # Very many dots hide one another and the line, and make a file of vectors large and slow to show.
        many = bool(shown.sum() > MANY_DOTS)
        dots = Line2D(ranks[shown], law[shown], color=color, linestyle="none", marker=".", markeredgewidth=0, zorder=3)
        dots.set(markersize=2 if many else 4, alpha=0.25 if many else 0.7, rasterized=many)
        panel.add_line(dots)
        halo = [Stroke(linewidth=2.4, foreground="white"), Normal()] if many else None
        means = panel.stairs(_per_label(law, edges), borders, baseline=None, color=color, linewidth=1.2, zorder=4)
        means.set(path_effects=halo)
        both = f"{printable(name)}: exact law of each label, and mean over a bin"
        panel.plot([], [], color=color, marker=".", markersize=4, markeredgewidth=0, label=both)
    heights = _per_label(counts, edges) / max(counts.sum(), 1)
    drawn = heights > 0
    given_up = f" ({n_given_up:,} skipped)" if n_given_up else ""
    panel.bar(
        borders[:-1][drawn],
        heights[drawn] - low / 10,
        np.diff(borders)[drawn],
        # From below the axis, for on a logarithmic one there is no zero to stand on.
        low / 10,
        align="edge",
        color=color,
        alpha=0.25,
        edgecolor="white",
        linewidth=0.8,
        zorder=1,
        label=f"{int(counts.sum()) + n_given_up:,} draws{given_up}",
    )
    if not possible.all():
        at, where = np.full((~possible).sum(), 0.02), panel.get_xaxis_transform()
        ticks = panel.plot(ranks[~possible], at, "|", color=color, markersize=5, markeredgewidth=0.5, transform=where)
        ticks[0].set(label="labels that are never drawn", rasterized=len(at) > MANY_DOTS)
    panel.set_xlim(LEFT_END, len(law) + 0.5)
    panel.set_ylim(low, 2 * max(law.max(), heights.max(), uniform))
    panel.set_ylabel("probability of a label")


def _draw_cumulated(panel: Axes, law: np.ndarray, counts: np.ndarray, color: str) -> None:
    ranks = np.arange(1, len(law) + 1)
    if counts.any():
        panel.fill_between(ranks, np.cumsum(counts) / counts.sum(), color=color, alpha=0.25, linewidth=0)
    panel.plot(ranks, np.cumsum(law), color=color)
    panel.set_ylim(0, 1.02)
    panel.set_ylabel("probability\nup to the rank")
    label_ranks(panel, len(law))


def label_ranks(panel: Axes, n_ranks: int) -> None:
    """Label the axis of ranks with plain numbers."""
    from matplotlib.ticker import NullFormatter

    panel.set_xlabel("true rank of the label for the image, its own labels left out (1 is best)")
    decades = 10 ** np.arange(int(np.log10(n_ranks)) + 1)
    between = np.outer(decades, np.arange(2, 10)).ravel()
    panel.set_xticks(decades if len(decades) > 1 else np.arange(1, n_ranks + 1), minor=False)
    panel.set_xticks(between[between <= n_ranks] if len(decades) > 1 else [], minor=True)
    panel.xaxis.set_major_formatter("{x:,.0f}")
    panel.xaxis.set_minor_formatter(NullFormatter())


def draw_references(panels: Sequence[Axes], references: Mapping[str, np.ndarray]) -> None:
    """Draw laws as thin lines on the panel of probabilities and, if there is one, on that of their sums."""
    top = panels[0].get_ylim()[1]
    for (label, one), style in zip(references.items(), itertools.cycle(REFERENCE_LINESTYLES)):
        ranks = np.arange(1, len(one) + 1)
        for panel, values in zip(panels, (one, np.cumsum(one)), strict=False):
            panel.plot(ranks, values, color=REFERENCE_COLOR, linewidth=0.8, linestyle=style, zorder=2, label=label)
        top = max(top, 2 * one.max())
    panels[0].set_ylim(top=top)


def draw_own(panel: Axes, n_above: np.ndarray) -> None:
    """Mark the image's own labels above the panel, between the labels that they score between."""
    places, times = np.unique(n_above, return_counts=True)
    if len(places):
        where = panel.get_xaxis_transform()
        marks = panel.plot(places + 0.5, np.ones(len(places)), "v", color="black", markersize=4, transform=where)
        marks[0].set(markeredgewidth=0, clip_on=False, label="own labels of the image, among the others", zorder=5)
    for place, n in zip(places[times > 1], times[times > 1], strict=True):
        panel.annotate(f"×{n}", (place + 0.5, 1), (3, 0), xycoords=where, textcoords="offset points", va="center")


def _draw_legend(figure: Figure, panel: Axes, references: Sequence[str]) -> None:
    """Draw the legend below the panels: what is of the sampler, then the references."""
    handles, labels = panel.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda i: labels[i] in references)
    figure.legend(
        [handles[i] for i in order],
        ["\n".join(textwrap.wrap(printable(labels[i]), 60)) for i in order],
        loc="outside lower center",
        ncols=2,
        frameon=False,
        handlelength=2.8,
        columnspacing=2.5,
    )
