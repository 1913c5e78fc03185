"""The section on convergence: the metric, or the loss, against training time and against epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vsenumba.evaluation.metrics import shown_metric
from vsenumba.plotting.bands import Band, band_over_seeds
from vsenumba.printable import printable
from vsenumba.reports.charts import Chart, Charts, Series, legend_of, line_chart, styles_of
from vsenumba.reports.opened import Opened
from vsenumba.reports.parts import Folded, Section, Text
from vsenumba.reports.results_section import is_metric, recorded_metrics
from vsenumba.reports.svg import Axis, linear_axis, log_axis
from vsenumba.training import History

# As in the figure that `vsenumba compare` draws: from which ratio of lengths on an axis is logarithmic, how far from
# the curves a reference has a line, and from which number of trials on these are shown.
_LOG_RATIO = 4
_FAR = 0.5
_MANY_TRIALS = 1.5


def convergence_section(opened: Opened, measured_model: Any) -> Section | None:
    """Return the section; None of a model that was not trained by epochs."""
    if opened.comparison is not None:
        comparison, histories = opened.comparison, opened.comparison.histories()
        first, *others = (
            _metric_charts(histories, metric, comparison.reference_values(metric))
            for metric in recorded_metrics(comparison)
        )
        said = Text("A line is the median over the seeds, a band their range. Point at a curve for its values.")
        trials = _trials(histories)
        more = [charts for charts in [*others, trials] if charts is not None]
        title = "Other metrics, and labels tried per draw" if trials is not None else "Other metrics"
        items: list[Any] = [said, first, Folded(title, more) if more else None]
        return Section("convergence", "Convergence", [item for item in items if item is not None])
    history = getattr(measured_model if measured_model is not None else opened.model, "history_", None)
    if history is None or len(history) < 2 or not {"epoch", "seconds"} <= set(history.columns):
        return None
    names = [name for name in history.columns if name == "loss" or is_metric(name)]
    shown = [_metric_charts({name: [history]}, name, {}) for name in sorted(names, key=lambda name: name == "loss")]
    note = "The curves are of the model that was measured." if measured_model is not None else ""
    return Section("convergence", "Training", [*filter(None, shown), *([Text(note)] if note else [])])


def _metric_charts(
    histories: Mapping[str, Sequence[History]], metric: str, references: Mapping[str, float]
) -> Charts | None:
    runs_of = {name: runs for name, runs in histories.items() if all(metric in run.columns for run in runs)}
    bands = {name: _band(runs, metric) for name, runs in runs_of.items()}
    in_time = {name: _band(runs, metric, in_seconds=True) for name, runs in runs_of.items()}
    bands = {name: band for name, band in bands.items() if len(band.x) and len(in_time[name].x) == len(band.x)}
    if not bands:
        return None
    shown = "loss" if metric == "loss" else shown_metric(metric)
    styles = styles_of(list(histories))
    near, said = _near(bands, references)
    y = linear_axis(np.concatenate([one for band in bands.values() for one in (band.low, band.high)] + [near]), shown)
    times = np.concatenate([in_time[name].x for name in bands])
    charts = [
        line_chart(
            f"{shown} against training time",
            [_series(name, in_time[name], bands[name].x, in_time[name].x, shown) for name in bands],
            _time_axis([in_time[name].x for name in bands], times),
            y,
            styles,
            references,
        ),
        line_chart(
            f"{shown} against epochs",
            [_series(name, band, band.x, in_time[name].x, shown) for name, band in bands.items()],
            linear_axis([0, *(band.x[-1] for band in bands.values())], "epochs", from_zero=True, whole=True),
            y,
            styles,
            references,
        ),
    ]
    legend = legend_of(list(bands), styles, said) if len(bands) > 1 or said else []
    return Charts(charts, legend)


def _band(runs: Sequence[History], metric: str, *, in_seconds: bool = False) -> Band:
    curves = [(run["epoch"], run[metric]) for run in runs]
    return band_over_seeds(curves, [run["seconds"] for run in runs] if in_seconds else None)


def _series(name: str, band: Band, epochs: np.ndarray, seconds: np.ndarray, shown: str) -> Series:
    tips = []
    for i in range(len(band.x)):
        wide = band.low[i] < band.high[i]
        spread = f" ({band.low[i]:.4f}–{band.high[i]:.4f})" if wide else ""
        tips.append(f"{printable(name)}, epoch {epochs[i]:g}, {seconds[i]:.3g} s: {shown} {band.median[i]:.4f}{spread}")
    return Series(name, band.x, band.median, tips, band.low, band.high)


def _time_axis(each: Sequence[np.ndarray], times: np.ndarray) -> Axis:
    lengths = [x[-1] for x in each]
    if times.min() > 0 and max(lengths) > _LOG_RATIO * min(lengths):
        return log_axis(times, "training time (s)")
    return linear_axis([0, times.max()], "training time (s)", from_zero=True)


def _near(bands: Mapping[str, Band], references: Mapping[str, float]) -> tuple[np.ndarray, dict[str, str]]:
    """Return the references that the axis is to hold, and what the legend says of each."""
    low = min(float(band.low.min()) for band in bands.values())
    high = max(float(band.high.max()) for band in bands.values())
    reach = _FAR * (high - low)
    near, said = [], {}
    for name, value in references.items():
        is_near = low - reach <= value <= high + reach
        near += [value] if is_near else []
        away = "" if is_near else f" ({'below' if value < low else 'above'} the axis)"
        said[name] = f"{value:.3f}{away}"
    return np.array(near, dtype=float), said


def _trials(histories: Mapping[str, Sequence[History]]) -> Charts | None:
    """Return how many labels the samplers tried per draw, where one tries many."""
    recorded = {name: runs for name, runs in histories.items() if all("trials" in run.columns for run in runs)}
    bands = {name: _band(runs, "trials") for name, runs in recorded.items()}
    bands = {name: band for name, band in bands.items() if len(band.x)}
    if not any((band.median > _MANY_TRIALS).any() for band in bands.values()):
        return None
    styles = styles_of(list(histories))
    values = np.concatenate([one for band in bands.values() for one in (band.low, band.high)])
    is_log = values.min() > 0 and values.max() > 10 * values.min()
    label = "labels tried per draw"
    chart: Chart = line_chart(
        "Labels tried per draw",
        [Series(name, band.x, band.median, _tried(name, band), band.low, band.high) for name, band in bands.items()],
        linear_axis([0, *(band.x[-1] for band in bands.values())], "epochs", from_zero=True, whole=True),
        log_axis(values, label) if is_log else linear_axis(values, label, from_zero=True),
        styles,
    )
    return Charts([chart], legend_of(list(bands), styles))


def _tried(name: str, band: Band) -> list[str]:
    pairs = zip(band.x, band.median, strict=True)
    return [f"{printable(name)}, epoch {epoch:g}: {tried:.2f} labels tried" for epoch, tried in pairs]
