"""The section on the laws of samplers: how probable a label is as a negative, by its true rank for an image."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vsenumba.errors import VsenumbaError
from vsenumba.experiments import SamplerLaw, inspect_image
from vsenumba.models import ImageAnnotator
from vsenumba.plotting.law import rank_bins
from vsenumba.printable import counted, printable
from vsenumba.reports.charts import Chart, Charts, Series, legend_of, line_chart, sample_of, styles_of
from vsenumba.reports.opened import Opened, mapping_in
from vsenumba.reports.parts import Section, Text
from vsenumba.reports.svg import Axis, log_axis
from vsenumba.reports.table import Column, Table, Value
from vsenumba.samplers import SAMPLERS, Sampler

N_IMAGES = 4
# A probability below this share of the uniform one is at the bottom of the chart.
_FLOOR = 1e-2


def laws_section(opened: Opened) -> Section | None:
    """Return the section; None where there are no vectors of images and labels."""
    model = opened.model
    if not isinstance(model, ImageAnnotator) or not len(getattr(model, "label_factors_", ())):
        return None
    samplers = _samplers(opened)
    rows = _rows(model.seen_)
    if not samplers or not len(rows):
        return None
    laws = [_laws_of(model, int(row), samplers) for row in rows]
    styles = styles_of(list(samplers))
    charts = [_chart(model, int(row), one, styles) for row, one in zip(rows, laws, strict=True)]
    names = [name for name in samplers if any(name in one for one in laws)]
    said = (
        "The exact probability of each label as the negative of an image, against the label's rank for the image by "
        "the saved model; its known labels are never drawn. A point is the mean over a range of ranks."
    )
    several = len(samplers) > 1
    if several:
        said += " All samplers are shown with the vectors of the best model, for comparison."
    items = [Text(said), Charts(charts, legend_of(names, styles)), _table(names, laws)]
    items.append(
        Text(
            "Distances are total variation: the largest difference in the probability of any event. Above: how "
            "probable it is that a negative scores above a known label. Gradient: its mean weight under the logistic "
            f"loss. All are means over {counted(len(laws), 'image')}."
        )
    )
    return Section("laws", "Laws of the samplers" if several else "Law of the sampler", items)


def _samplers(opened: Opened) -> dict[str, Sampler]:
    """Return the samplers by name: all of a comparison that this version knows, or the model's own."""
    if opened.comparison is None:
        sampler = opened.model.member("sampler")
        return {str(sampler): sampler}
    written = mapping_in(opened.settings, "samplers")
    found = {name: _sampler(str(written.get(name, ""))) for name in opened.comparison.samplers}
    return {name: sampler for name, sampler in found.items() if sampler is not None}


def _sampler(written: str) -> Sampler | None:
    """Return the sampler of a text such as ``"RankSampler(lam=0.05)"``; None for one that is not known."""
    try:
        call = ast.parse(written, mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            return None
        cls = {one.__name__: one for one in SAMPLERS.values()}[call.func.id]
        return cls(**{str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords})
    except (SyntaxError, KeyError, TypeError, ValueError, RecursionError, VsenumbaError):
        return None


def _rows(data: Any) -> np.ndarray:
    """Return images with few labels to many, of those that have some labels and lack some."""
    counts = data.labels_per_image
    usable = np.flatnonzero((counts > 0) & (counts < data.n_labels - 1))
    if not len(usable):
        return usable
    order = usable[np.argsort(counts[usable], kind="stable")]
    places = np.unique((np.array([0.1, 0.4, 0.7, 0.95]) * (len(order) - 1)).astype(int))[:N_IMAGES]
    chosen: np.ndarray = order[places]
    return chosen


def _laws_of(model: ImageAnnotator, row: int, samplers: Mapping[str, Sampler]) -> dict[str, SamplerLaw]:
    """Return the law of each sampler that can draw a negative for an image."""
    image = model.seen_.image_ids[row]
    found = {name: inspect_image(model, image, sampler=sampler, n_draws=0) for name, sampler in samplers.items()}
    return {name: one for name, one in found.items() if one.law.any()}


def _chart(model: ImageAnnotator, row: int, laws: Mapping[str, SamplerLaw], styles: Any) -> Chart:
    data = model.seen_
    title = f"{printable(data.image_ids[row])}, {counted(int(data.labels_per_image[row]), 'known label')}"
    n_ranks = data.n_labels - int(data.labels_per_image[row])
    edges = rank_bins(n_ranks)
    widths = np.diff(edges)
    floor = _FLOOR / n_ranks
    # The middle of a bin of ranks, counted from 1, on a logarithmic axis.
    x = np.sqrt((edges[:-1] + 1) * edges[1:])
    series = []
    for name, one in laws.items():
        means = np.add.reduceat(one.law, edges[:-1]) / widths
        tips = [
            f"{printable(name)}, {_ranks(low + 1, high)}: {mean:.3g} each, {mean * width:.3g} together"
            for low, high, mean, width in zip(edges[:-1], edges[1:], means, widths, strict=True)
        ]
        # Where a law comes down to nothing, the curve ends at the bottom.
        last = np.flatnonzero(means > floor)[-1]
        end = min(int(last) + 2, len(means))
        series.append(Series(name, x[:end], np.maximum(means, floor)[:end], tips[:end]))
    y_values = np.concatenate([one.y for one in series]) if series else np.array([floor, 1.0])
    return line_chart(
        title,
        series,
        log_axis([1, max(n_ranks, 2)], "true rank of the label (1 is best)"),
        _probabilities(y_values, n_ranks),
        styles,
    )


def _probabilities(values: np.ndarray, n_ranks: int) -> Axis:
    return log_axis([min(values.min(), 0.5 / n_ranks), max(values.max(), 2 / n_ranks)], "probability of a label")


def _ranks(low: int, high: int) -> str:
    return f"rank {low:,}" if low == high else f"ranks {low:,}–{high:,}"


def _table(names: Sequence[str], laws: Sequence[Mapping[str, SamplerLaw]]) -> Table:
    columns = [
        Column("sampler"),
        Column("distance from the rank law", 3),
        Column("distance from uniform", 3),
        Column("above a known label", 3),
        Column("gradient", 3),
    ]
    rows: list[list[Value]] = []
    for name in names:
        each = [one[name] for one in laws if name in one]
        measures = ("from_rank", "from_uniform", "misranked", "gradient_weight")
        rows.append([name, *(float(np.mean([getattr(one, measure) for one in each])) for measure in measures)])
    styles = styles_of(list(names))
    return Table("laws", "What the negatives are like", columns, rows, [sample_of(styles[name]) for name in names])
