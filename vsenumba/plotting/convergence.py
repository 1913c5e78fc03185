"""The convergence figure: who gets how good, after how many seconds and after how many epochs."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vsenumba.errors import InputError
from vsenumba.plotting.bands import Band, band_over_seeds
from vsenumba.plotting.style import FULL_WIDTH, RC, REFERENCE_COLOR, SAMPLER_LOOKS, Look, looks, sampler_of
from vsenumba.training.history import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Runs whose lengths in seconds differ by more share a linear axis badly: the short ones end in a corner.
LOG_TIME_RATIO = 4
# The same for the numbers of trials.
LOG_TRIALS_RATIO = 10
# A sampler that draws again only when it drew one of the image's own stays below; WARP rises far above.
MANY_TRIALS = 1.5

# A reference that is farther from the curves than this share of their own range gets no line.
FAR = 0.5

# Inches, without the legend and the title.
PANEL_HEIGHT = 2.4
# Of a reference's label, as a share of a panel's height.
LINE_HEIGHT = 0.07

METRIC_LABELS = {"mrr": "MRR", "auc": "AUC", "map": "MAP", "ndcg": "nDCG", "ap": "AP"}


def convergence_figure(
    histories: Mapping[str, Sequence[History]],
    *,
    metric: str = "mrr",
    references: Mapping[str, float] | None = None,
    title: str | None = None,
    trials: bool = True,
) -> Figure:
    """Draw a validation metric against training time and against epochs, a curve per method.

    A line is the median over a method's runs, one per seed; the band around it spans all runs. The time axis
    is logarithmic where the methods' times differ much. A third panel shows how many labels were tried per
    step, where a sampler draws again until it finds a violation (WARP's cost, figure 1 of the VSE-ens paper).

    Parameters
    ----------
    histories : mapping from str to sequence of History
        The runs of every method, one per seed; methods that bear a sampler's name have the same look in
        every figure.
    metric : str
        A validation metric the histories hold.
    references : mapping from str to float, optional
        The metric of methods that are not trained epoch by epoch; a horizontal line each.
    title : str, optional
        A line above the panels.
    trials : bool
        Whether to show the third panel, if any method has use for it.

    Returns
    -------
    matplotlib.figure.Figure
        7 inches wide; to be written with `save_figure`.

    Raises
    ------
    InputError
        If there is no history, one lacks the metric, or the metric is nowhere finite.

    Examples
    --------
    >>> history = History()
    >>> for epoch in (1, 2, 3):
    ...     history.append({"epoch": epoch, "seconds": 0.1 * epoch, "mrr": 1 - 1 / (1 + epoch)})
    >>> figure = convergence_figure({"adaptive": [history]}, references={"EASE": 0.6})
    >>> len(figure.axes)
    2
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    names = _drawing_order(histories, metric)
    in_time = {name: _bands(histories[name], "seconds", metric) for name in names}
    in_epochs = {name: _bands(histories[name], "epoch", metric) for name in names}
    if not any(len(band.x) for band in in_epochs.values()):
        raise InputError(f"no history holds a finite {metric!r}; there is nothing to draw")
    tried = _bands_of_trials(histories, names) if trials else {}
    # Of all names at once: a variant's look depends on what else there is, and is the same in all panels.
    styles = looks(names)
    with mpl.rc_context(RC):
        figure = Figure(figsize=(FULL_WIDTH, PANEL_HEIGHT), layout="constrained")
        n_panels = 3 if tried else 2
        panels = figure.subplots(1, n_panels, width_ratios=[1.15, 1, 0.8][:n_panels])
        panels[1].sharey(panels[0])
        panels[1].tick_params(labelleft=False)
        _draw_time(panels[0], in_time, styles)
        _draw_epochs(panels[1], in_epochs, styles)
        panels[0].set_ylabel(_metric_label(metric))
        _draw_references(panels, references or {})
        if tried:
            _draw_trials(panels[2], tried, styles)
        for letter, panel in zip("abc", panels, strict=False):
            panel.set_title(f"({letter})", loc="left", fontweight="bold")
        extra = _draw_legend(figure, panels[0], [len(histories[name]) for name in names])
        if title is not None:
            lines = textwrap.wrap(title, 100)
            figure.suptitle("\n".join(lines), fontsize=8.5)
            extra += 0.15 * len(lines)
        figure.set_size_inches(FULL_WIDTH, PANEL_HEIGHT + extra)
        # Laid out once and then kept, for laying out again moves things by fractions of a point.
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
    return figure


def _drawing_order(histories: Mapping[str, Sequence[History]], metric: str) -> list[str]:
    """Return the names, known samplers last in their own order: the curves drawn last lie on top."""
    if not histories:
        raise InputError("histories is empty; give at least one name with its runs")
    for name, runs in histories.items():
        if not isinstance(runs, Sequence) or not runs:
            raise InputError(f"{name!r} needs a sequence of runs, one History per seed, not {runs!r}")
        for seed, run in enumerate(runs):
            missing = [column for column in (metric, "epoch", "seconds") if column not in run.columns]
            if missing:
                held = ", ".join(run.columns) or "no epoch"
                raise InputError(f"run {seed} of {name!r} holds no {missing[0]!r}; it holds {held}")
    known = [name for sampler in SAMPLER_LOOKS for name in histories if sampler_of(name) == sampler]
    return [name for name in histories if sampler_of(name) is None] + known


def _bands(runs: Sequence[History], x: str, y: str) -> Band:
    return band_over_seeds([(run[x], run[y]) for run in runs])


def _bands_of_trials(histories: Mapping[str, Sequence[History]], names: Sequence[str]) -> dict[str, Band]:
    """Return the trials per step against epochs of the methods that try many."""
    recorded = [name for name in names if all("trials" in run.columns for run in histories[name])]
    bands = {name: _bands(histories[name], "epoch", "trials") for name in recorded}
    return {name: band for name, band in bands.items() if (band.median > MANY_TRIALS).any()}


def _draw_bands(panel: Axes, bands: Mapping[str, Band], styles: Mapping[str, Look]) -> None:
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


def _draw_time(panel: Axes, bands: Mapping[str, Band], styles: Mapping[str, Look]) -> None:
    _draw_bands(panel, bands, styles)
    drawn = [band.x for band in bands.values() if len(band.x)]
    lengths = [x[-1] for x in drawn]
    if min(x[0] for x in drawn) > 0 and max(lengths) > LOG_TIME_RATIO * min(lengths):
        panel.set_xscale("log")
        panel.xaxis.set_major_formatter("{x:g}")
    else:
        panel.set_xlim(left=0)
    panel.set_xlabel("training time (s)")


def _draw_epochs(panel: Axes, bands: Mapping[str, Band], styles: Mapping[str, Look]) -> None:
    from matplotlib.ticker import MaxNLocator

    _draw_bands(panel, bands, styles)
    panel.set_xlim(left=0)
    panel.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, steps=[1, 2, 5, 10]))
    panel.set_xlabel("epochs")


def _draw_trials(panel: Axes, bands: Mapping[str, Band], styles: Mapping[str, Look]) -> None:
    _draw_epochs(panel, bands, styles)
    low = min(band.median.min() for band in bands.values())
    high = max(band.median.max() for band in bands.values())
    if high > LOG_TRIALS_RATIO * low > 0:
        panel.set_yscale("log")
        panel.yaxis.set_major_formatter("{x:g}")
    else:
        panel.set_ylim(bottom=0)
    panel.set_ylabel("labels tried per step")


def _draw_references(panels: Sequence[Axes], references: Mapping[str, float]) -> None:
    """Draw a line per reference across the first two panels, labelled to the right of the second.

    A reference far from every curve has no line, as the curves would be pressed into a corner: its label stands at the
    edge, with its value and an arrow.
    """
    low, high = panels[1].get_ylim()
    reach = FAR * (high - low)
    near = {name: value for name, value in references.items() if low - reach <= value <= high + reach}
    for panel in panels[:2]:
        for value in near.values():
            panel.axhline(value, color=REFERENCE_COLOR, linewidth=0.7, linestyle=(0, (6, 3)), zorder=1)
    bottom, top = panels[1].get_ylim()
    above = -np.inf
    for name, value in sorted(references.items(), key=lambda item: item[1]):
        arrow = "" if name in near else f" {value:.3f} " + ("↓" if value < bottom else "↑")
        label = textwrap.wrap(name + arrow, 12)
        half = len(label) * LINE_HEIGHT / 2
        # Raised where it would lie on the label below it.
        height = max(min(max((value - bottom) / (top - bottom), half), 1 - half), above + half)
        above = height + half
        panels[1].text(
            1.02,
            height,
            "\n".join(label),
            transform=panels[1].transAxes,
            va="center",
            fontsize=7,
            linespacing=1,
            color=REFERENCE_COLOR,
        )


def _draw_legend(figure: Figure, panel: Axes, n_seeds: Sequence[int]) -> float:
    """Draw the legend below the panels; return its height in inches."""
    handles, names = panel.get_legend_handles_labels()
    labels = ["\n".join(textwrap.wrap(name, 80)) for name in names]
    # An entry is its line and gaps, about 9 letters wide, and its name; the figure is 115 letters wide.
    columns = min(6, len(labels), max(1, 115 // (9 + max(map(len, names)))))
    few, many = min(n_seeds), max(n_seeds)
    seeds = f"{many}" if few == many else f"{few} to {many}"
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=columns,
        frameon=False,
        handlelength=3.2,
        columnspacing=1.4,
        title=f"median and range of {seeds} seeds" if many > 1 else None,
    )
    return 0.16 * (math.ceil(len(labels) / columns) + (many > 1))


def _metric_label(metric: str) -> str:
    family, at, k = metric.partition("@")
    return METRIC_LABELS.get(family, family.capitalize()) + at + k
