"""How accurate a model is for rare labels and for common ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vsenumba.errors import InputError, unknown_name
from vsenumba.evaluation import GroupScores, Scores
from vsenumba.experiments.comparison import Comparison
from vsenumba.plot.drawing import add_legend, drawing_on, looks_of
from vsenumba.plotting.convergence import metric_label, reference_styles
from vsenumba.plotting.groups import draw_groups

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def groups(scores: Any, *, metric: str | None = None, ax: Axes | None = None) -> Axes:
    """Plot scores by popularity, or by label, against the number of training images that labels have.

    Scores by popularity are points on a line; scores by label are one dot for each label.

    Parameters
    ----------
    scores : Scores, GroupScores, Comparison, or mapping from str to Scores or GroupScores
        What ``evaluate(..., by="popularity")``, ``evaluate(..., by="label")`` or ``compare(..., by="popularity")``
        returned. The names of a mapping stand in the legend.
    metric : str, optional
        One of the metrics in the scores; the first by default. A comparison has one only.
    ax : matplotlib.axes.Axes, optional
        Where to draw; pyplot's current axes by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    InputError
        If the scores have no groups, or groups that differ.

    Examples
    --------
    >>> import vsenumba as vse
    >>> from matplotlib.figure import Figure
    >>> train, test = vse.leave_one_out(vse.synthetic(60, 12, 240, rng=0), rng=0)
    >>> scores = vse.evaluate(vse.EaseAnnotator().fit(train), test, exclude=train, metrics=["mrr"], by="popularity")
    >>> ax = vse.plot.groups(scores, ax=Figure().subplots())
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('training images of a label', 'MRR')
    """
    if isinstance(scores, Comparison):
        if scores.groups is None:
            raise InputError('the comparison has no groups; make it with compare(..., by="popularity")')
        found = dict(scores.groups)
        if metric is not None and metric != found["metric"]:
            raise unknown_name("metric", metric, [found["metric"]])
        lines = reference_styles(scores.reference_values(scores.metric))
        return _draw_ranges(found, [*scores.samplers], lines, ax, legend=True)
    named = {str(name): _groups_of(one) for name, one in scores.items()} if isinstance(scores, Mapping) else None
    every = named or {"": _groups_of(scores)}
    first = next(iter(every.values()))
    metric = metric or next(iter(first.micro))
    for one in every.values():
        if metric not in one.micro:
            raise unknown_name("metric", metric, one.micro)
        if one.by != first.by or (one.by == "popularity" and one.names != first.names):
            raise InputError("the scores have groups that differ; evaluate all models on the same test set")
    if first.by == "label":
        return _draw_labels(every, metric, ax, legend=named is not None)
    found = {
        "names": first.names,
        "values": {name: [one.micro[metric]] for name, one in every.items()},
        "metric": metric,
    }
    return _draw_ranges(found, [*every], {}, ax, legend=named is not None)


def _groups_of(scores: Any) -> GroupScores:
    found = scores.groups if isinstance(scores, Scores) else scores
    if not isinstance(found, GroupScores):
        raise InputError('the scores have no groups; make them with evaluate(..., by="popularity") or by="label"')
    return found


def _draw_ranges(
    found: Mapping[str, Any], names: list[str], lines: Mapping[str, Any], ax: Axes | None, *, legend: bool
) -> Axes:
    styles = looks_of(names)
    with drawing_on(ax) as panel:
        n_before = len(panel.get_lines())
        draw_groups(panel, found, {name: styles[name] for name in names}, lines)
        panel.set_ylabel(metric_label(found["metric"]))
        if legend:
            shown = [name for name in (*lines, *names) if found["values"].get(name)]
            add_legend(panel, panel.get_lines()[n_before:], shown)
    return panel


def _draw_labels(scores: Mapping[str, GroupScores], metric: str, ax: Axes | None, *, legend: bool) -> Axes:
    styles = looks_of(scores)
    with drawing_on(ax) as panel:
        dots = []
        for name, one in scores.items():
            color, _, marker = styles[name]
            dots += panel.plot(
                one.n_train_pairs, one.micro[metric], marker, color=color, alpha=0.5, markersize=4, markeredgewidth=0
            )
        # A label that only the test set has stands at 0.
        panel.set_xscale("symlog", linthresh=1)
        panel.set_xlim(left=-0.3)
        panel.xaxis.set_major_formatter("{x:,.0f}")
        panel.set_ylim(bottom=0)
        panel.set_xlabel("training images of a label")
        panel.set_ylabel(metric_label(metric))
        if legend:
            add_legend(panel, dots, [*scores])
    return panel
