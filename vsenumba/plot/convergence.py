"""How accurate models are after some time, or after some epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vsenumba.checks import check_choice
from vsenumba.errors import InputError
from vsenumba.experiments.comparison import Comparison
from vsenumba.plot.drawing import add_legend, drawing_on, looks_of
from vsenumba.plotting.convergence import (
    band_of,
    check_drawable,
    draw_epochs,
    draw_references,
    draw_time,
    drawing_order,
    metric_label,
    reference_styles,
)
from vsenumba.training.history import History, validation_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def convergence(
    runs: Any,
    *,
    metric: str | None = None,
    x: str = "seconds",
    references: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plot a validation metric against training time or epochs, with one curve per method.

    Of several runs of a method, one per seed, the line is the median and the band is the range.

    Parameters
    ----------
    runs : Comparison, History, fitted model, or mapping from str to History, model or sequence of these
        The runs; the names of a mapping stand in the legend.
    metric : str, optional
        The recorded metric; by default that of the comparison, or else the first one of the validation, or the loss.
    x : {"seconds", "epoch"}
        What the horizontal axis shows: seconds of training, without evaluation, or epochs.
    references : mapping from str to float, optional
        Values of other methods, each drawn as a horizontal line; by default the reference models of a comparison.
    ax : matplotlib.axes.Axes, optional
        Where to draw; pyplot's current axes by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    InputError
        If there is no run, or one lacks the metric.

    Examples
    --------
    >>> import vsenumba as vse
    >>> from matplotlib.figure import Figure
    >>> train, test = vse.leave_one_out(vse.synthetic(60, 12, 240, rng=0), rng=0)
    >>> model = vse.ImageAnnotator(n_epochs=3, random_state=0).fit(train, validation=test)
    >>> ax = vse.plot.convergence(model, x="epoch", ax=Figure().subplots())
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('epochs', 'MRR')
    """
    check_choice("x", x, ("seconds", "epoch"))
    histories = _histories(runs)
    if metric is None:
        metric = runs.metric if isinstance(runs, Comparison) else _first_metric(histories)
    if references is None:
        references = runs.reference_values(metric) if isinstance(runs, Comparison) else {}
    names = drawing_order(histories, metric)
    bands = {name: band_of(histories[name], metric, in_seconds=x == "seconds") for name in names}
    check_drawable(bands, metric)
    with drawing_on(ax) as panel:
        n_before = len(panel.get_lines())
        (draw_time if x == "seconds" else draw_epochs)(panel, bands, looks_of(names))
        lines = panel.get_lines()[n_before:]
        panel.set_ylabel(metric_label(metric))
        shown = draw_references([panel], references, reference_styles(references), ())
        if isinstance(runs, (Comparison, Mapping)):
            add_legend(panel, [*lines, *shown.values()], [*names, *shown], handlelength=3.0)
    return panel


def _histories(runs: Any) -> dict[str, list[History]]:
    if isinstance(runs, Comparison):
        return runs.histories()
    if isinstance(runs, Mapping):
        return {str(name): _as_histories(one) for name, one in runs.items()}
    return {"": _as_histories(runs)}


def _as_histories(runs: Any) -> list[History]:
    if isinstance(runs, Sequence) and not isinstance(runs, str):
        return [history for run in runs for history in _as_histories(run)]
    history = getattr(runs, "history_", getattr(runs, "history", runs))
    if not isinstance(history, History):
        raise InputError(f"a run must be a History, or a model that was fitted epoch by epoch, not {runs!r:.80}")
    return [history]


def _first_metric(histories: Mapping[str, Sequence[History]]) -> str:
    columns = [name for runs in histories.values() for run in runs for name in run.columns]
    return next(iter(validation_names(columns)), "loss")
