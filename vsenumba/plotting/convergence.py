"""The convergence figure: who gets how good, after how many seconds and after how many epochs."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vsenumba.errors import InputError
from vsenumba.plotting.bands import Band, band_over_seeds, draw_bands
from vsenumba.plotting.groups import draw_groups
from vsenumba.plotting.letters import AS_IT_IS, lay_out, width_of
from vsenumba.plotting.style import (
    FULL_WIDTH,
    RC,
    REFERENCE_COLOR,
    REFERENCE_LINESTYLES,
    SAMPLER_LOOKS,
    Look,
    looks,
    sampler_of,
)
from vsenumba.plotting.ticks import label_log_axis
from vsenumba.printable import printable
from vsenumba.training.history import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

# Runs whose lengths in seconds differ by more share a linear axis badly: the short ones end in a corner.
LOG_TIME_RATIO = 4
# The same for the numbers of trials.
LOG_TRIALS_RATIO = 10
# A sampler that draws again only when it drew one of the image's own stays below; WARP rises far above. The panel of
# trials is there when any does.
MANY_TRIALS = 1.5

# A reference that is farther from the curves than this share of their own range gets no line.
FAR = 0.5

# Inches, without the legend and the title.
PANEL_HEIGHT = 2.4

# Of the legend, in letters: the figure, and an entry's line with the gaps around it.
WIDTH_LETTERS = 115
LINE_LETTERS = 9

METRIC_LABELS = {"mrr": "MRR", "auc": "AUC", "map": "MAP", "ndcg": "nDCG", "ap": "AP"}


def convergence_figure(
    histories: Mapping[str, Sequence[History]],
    *,
    metric: str = "mrr",
    references: Mapping[str, float] | None = None,
    title: str | None = None,
    trials: bool = True,
    groups: Mapping[str, Any] | None = None,
) -> Figure:
    """Draw a validation metric against training time and against epochs, a curve per method.

    A line is the median over a method's runs, one per seed; the band around it spans all runs after as many
    epochs. Against time, an epoch stands over the median of the seconds that the runs took for it. The time axis
    is logarithmic where the methods' times differ much. A third panel shows how many labels each method tried
    per step, where one draws again until it finds a violation (WARP's cost, figure 1 of the VSE-ens paper).

    Parameters
    ----------
    histories : mapping from str to sequence of History
        The runs of every method, one per seed; methods that bear a sampler's name have the same look in
        every figure.
    metric : str
        A validation metric the histories hold.
    references : mapping from str to float, optional
        The metric of methods that are not trained epoch by epoch; a horizontal line each, with the value in the
        legend. One far from all curves has no line: the legend says whether it lies above or below.
    title : str, optional
        A line above the panels.
    trials : bool
        Whether to show the third panel, if any method has use for it.
    groups : mapping, optional
        Values by group of labels, as `vsenumba.experiments.Comparison.groups` has them: one more panel, with a point
        for every group.

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

    from vsenumba.plotting.figure import ShownFigure

    names = drawing_order(histories, metric)
    in_time = {name: band_of(histories[name], metric, in_seconds=True) for name in names}
    in_epochs = {name: band_of(histories[name], metric) for name in names}
    check_drawable(in_epochs, metric)
    tried = _bands_of_trials(histories, names) if trials else {}
    # Of all names at once: a variant's look depends on what else there is, and is the same in all panels.
    styles = looks(names)
    with mpl.rc_context(RC | AS_IT_IS):
        figure = ShownFigure(figsize=(FULL_WIDTH, PANEL_HEIGHT), layout="constrained")
        widths = [1.15, 1, *([0.8] * bool(tried)), *([1.0] * (groups is not None))]
        panels = figure.subplots(1, len(widths), width_ratios=widths)
        panels[1].sharey(panels[0])
        panels[1].tick_params(labelleft=False)
        draw_time(panels[0], in_time, styles)
        draw_epochs(panels[1], in_epochs, styles)
        panels[0].set_ylabel(metric_label(metric))
        dashes = reference_styles(references or {})
        shown = draw_references(panels[:2], references or {}, dashes, () if groups is None else groups["values"])
        if tried:
            _draw_trials(panels[2], tried, styles)
        if groups is not None:
            draw_groups(panels[-1], groups, {name: styles[name] for name in names}, dashes)
            panels[-1].set_ylabel(metric_label(groups["metric"]))
        for letter, panel in zip("abcd", panels, strict=False):
            panel.set_title(f"({letter})", loc="left", fontweight="bold")
        curves = {
            name: printable(name) if len(in_epochs[name].x) else f"{printable(name)} (no finite {metric})"
            for name in names
        }
        extra = _draw_legend(figure, panels[0], curves, shown, [len(histories[name]) for name in names])
        if title is not None:
            lines = textwrap.wrap(printable(title), 100)
            figure.suptitle("\n".join(lines), fontsize=8.5)
            extra += 0.15 * len(lines)
        figure.set_size_inches(FULL_WIDTH, PANEL_HEIGHT + extra)
        lay_out(figure)
    return figure


def drawing_order(histories: Mapping[str, Sequence[History]], metric: str) -> list[str]:
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


def check_drawable(bands: Mapping[str, Band], metric: str) -> None:
    """Refuse bands of which none has a point."""
    if not any(len(band.x) for band in bands.values()):
        raise InputError(f"no history holds a finite {metric!r}; there is nothing to draw")


def band_of(runs: Sequence[History], metric: str, *, in_seconds: bool = False) -> Band:
    """Return the median and the range of a metric over runs, against epochs or seconds."""
    curves = [(run["epoch"], run[metric]) for run in runs]
    return band_over_seeds(curves, [run["seconds"] for run in runs] if in_seconds else None)


def _bands_of_trials(histories: Mapping[str, Sequence[History]], names: Sequence[str]) -> dict[str, Band]:
    """Return the trials per step against epochs, where any method tries many; of all, for one is a number too."""
    recorded = [name for name in names if all("trials" in run.columns for run in histories[name])]
    bands = {name: band_of(histories[name], "trials") for name in recorded}
    return bands if any((band.median > MANY_TRIALS).any() for band in bands.values()) else {}


def draw_time(panel: Axes, bands: Mapping[str, Band], styles: Mapping[str, Look]) -> None:
    """Draw bands against seconds, on a logarithmic axis if the methods' times differ much."""
    draw_bands(panel, bands, styles)
    drawn = [band.x for band in bands.values() if len(band.x)]
    lengths = [x[-1] for x in drawn]
    if min(x[0] for x in drawn) > 0 and max(lengths) > LOG_TIME_RATIO * min(lengths):
        panel.set_xscale("log")
        label_log_axis(panel.xaxis)
    else:
        panel.set_xlim(left=0)
    panel.set_xlabel("training time (s)")


def draw_epochs(panel: Axes, bands: Mapping[str, Band], styles: Mapping[str, Look]) -> None:
    """Draw bands against epochs."""
    from matplotlib.ticker import MaxNLocator

    draw_bands(panel, bands, styles)
    panel.set_xlim(left=0)
    panel.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, steps=[1, 2, 5, 10]))
    panel.set_xlabel("epochs")


def _draw_trials(panel: Axes, bands: Mapping[str, Band], styles: Mapping[str, Look]) -> None:
    draw_epochs(panel, bands, styles)
    drawn = [band.median for band in bands.values() if len(band.x)]
    low, high = min(median.min() for median in drawn), max(median.max() for median in drawn)
    if high > LOG_TRIALS_RATIO * low > 0:
        panel.set_yscale("log")
        label_log_axis(panel.yaxis)
    else:
        panel.set_ylim(bottom=0)
    panel.set_ylabel("labels tried per draw")


def reference_styles(references: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    """Return how the line of each reference looks, the best one first."""
    dashes = itertools.cycle(REFERENCE_LINESTYLES)
    best_first = sorted(references, key=lambda name: -references[name])
    return {name: {"color": REFERENCE_COLOR, "linewidth": 0.8, "linestyle": next(dashes)} for name in best_first}


def draw_references(
    panels: Sequence[Axes], references: Mapping[str, float], styles: Mapping[str, Any], elsewhere: Collection[str]
) -> dict[str, Line2D]:
    """Draw a line per reference across the panels; return what the legend shows, by the text that stands there.

    A reference far from every curve has no line, as the curves would be pressed into a corner; the legend shows one if
    it has a line elsewhere.
    """
    from matplotlib.lines import Line2D

    low, high = panels[0].get_ylim()
    reach = FAR * (high - low)
    shown = {}
    for name, style in styles.items():
        value = references[name]
        text = f"{printable(name)}, {value:.3f}"
        line = Line2D([], [], **style)
        if low - reach <= value <= high + reach:
            for panel in panels:
                panel.axhline(value, zorder=1, **style)
            shown[text] = line
        else:
            away = f"{text} ({'below' if value < low else 'above'} the axis)"
            shown[away] = line if name in elsewhere else Line2D([], [], linestyle="none")
    return shown


def _draw_legend(
    figure: Figure, panel: Axes, curves: Mapping[str, str], references: Mapping[str, Line2D], n_seeds: Sequence[int]
) -> float:
    """Draw the legend below the panels, the references in columns of their own; return its height in inches.

    `curves` has the texts that stand beside the curves of the panel, by their names.
    """
    from matplotlib.lines import Line2D

    lines = {str(line.get_label()): line for line in panel.get_lines()}
    groups = [
        [(lines[name], text) for name, text in curves.items()],
        [(line, text) for text, line in references.items()],
    ]
    groups = [[(line, "\n".join(textwrap.wrap(text, 80))) for line, text in group] for group in groups]
    columns = _columns([[text for _, text in group] for group in groups])
    n_rows = max(map(len, columns))
    handles = iter([line for group in groups for line, _ in group])
    entries = []
    for column in columns:
        entries += [(next(handles), text) for text in column]
        # The legend fills column after column.
        entries += [(Line2D([], [], linestyle="none"), "")] * (n_rows - len(column))
    few, many = min(n_seeds), max(n_seeds)
    seeds = f"{many}" if few == many else f"{few} to {many}"
    figure.legend(
        *zip(*entries, strict=True),
        loc="outside lower center",
        ncols=len(columns),
        frameon=False,
        handlelength=3.2,
        columnspacing=1.4,
        title=f"median and range of {seeds} seeds" if many > 1 else None,
    )
    n_lines = max(sum(1 + text.count("\n") for text in column) for column in columns)
    return 0.16 * (n_lines + (many > 1))


def _columns(groups: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return texts in as few rows as the figure is wide enough for, no column with texts of two groups."""
    for n_rows in range(1, max(map(len, groups)) + 1):
        columns = [list(group[i : i + n_rows]) for group in groups for i in range(0, len(group), n_rows)]
        lines = [[line for text in column for line in text.split("\n")] for column in columns]
        if sum(LINE_LETTERS + max(map(width_of, column)) for column in lines) <= WIDTH_LETTERS:
            return columns
    return [[text for group in groups for text in group]]


def metric_label(metric: str) -> str:
    """Return a metric's name as it stands on an axis."""
    family, at, k = metric.partition("@")
    return METRIC_LABELS.get(family, family.capitalize()) + at + k
