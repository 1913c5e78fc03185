"""The charts of a report: curves with bands, and bars; every point says its values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np
from markupsafe import Markup

from vsenumba.plotting.style import OTHER_COLORS, REFERENCE_LINESTYLES, SAMPLER_LOOKS, looks
from vsenumba.printable import printable
from vsenumba.reports.svg import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Axis, at, axes, element, number, path

# The style sheet has a colour for each of these classes, one for light pages and one for dark ones.
_CLASSES = {look.color: name for name, look in SAMPLER_LOOKS.items()} | {
    color: f"other-{i}" for i, color in enumerate(OTHER_COLORS)
}
_LINE_WIDTH = 2.0
# Of more ranges the names do not fit under an axis.
_MOST_RANGES = 6


class Budget(NamedTuple):
    """How many points the curves of a chart have together, and how many each of them has at least and at most."""

    together: int
    fewest: int
    most: int

    def share(self, n_series: int) -> int:
        """Return how many points each of some curves may have."""
        return min(self.most, max(self.fewest, self.together // n_series))


# Points that can be pointed at, and corners of the lines and bands; of longer curves, some are left out.
_POINTS, _CORNERS = Budget(300, 12, 60), Budget(1_200, 60, 240)


class Series(NamedTuple):
    """A curve.

    Attributes
    ----------
    name : str
        What it shows.
    x, y : (m,) float64 arrays
        Its points.
    tips : sequence of str
        What is shown when each is pointed at.
    low, high : (m,) float64 arrays, optional
        The band around it.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    tips: Sequence[str]
    low: np.ndarray | None = None
    high: np.ndarray | None = None


@dataclass(frozen=True)
class Chart:
    """A drawing with a caption.

    Attributes
    ----------
    title : str
        What it shows, in a few words.
    svg : Markup
        The drawing.
    legend : list of (str, Markup)
        The names of its curves, with a sample of each.
    """

    title: str
    svg: Markup
    legend: list[tuple[str, Markup]] = field(default_factory=list)
    kind: ClassVar[str] = "chart"


@dataclass(frozen=True)
class Charts:
    """Charts side by side, under one legend."""

    charts: Sequence[Chart]
    legend: Sequence[tuple[str, Markup]] = ()
    kind: ClassVar[str] = "charts"


class Style(NamedTuple):
    """The class of a curve's colour, and its dashes."""

    color: str
    dashes: str | None


def styles_of(names: Sequence[str]) -> dict[str, Style]:
    """Return the style of every curve: that of the figures that `vsenumba plot` draws."""
    found = looks(names)
    return {name: Style(_CLASSES[found[name].color], _dashes(found[name].linestyle)) for name in names}


def line_chart(
    title: str,
    series: Sequence[Series],
    x: Axis,
    y: Axis,
    styles: Mapping[str, Style],
    references: Mapping[str, float] | None = None,
) -> Chart:
    """Draw curves; a horizontal line for each reference that is within the axis.

    Parameters
    ----------
    title : str
        What the chart shows.
    series : sequence of Series
        The curves; later ones lie on top.
    x, y : Axis
        The axes; they must hold all points.
    styles : mapping of str to Style
        The style of each curve by its name.
    references : mapping of str to float, optional
        Other values by name.
    """
    drawn = axes(x, y)
    series = [_thinned(one, _CORNERS.share(len(series))) for one in series]
    for i, (name, value) in enumerate((references or {}).items()):
        if y.low <= value <= y.high:
            ends = [at(x, y, (x.low, value)), at(x, y, (x.high, value))]
            tip = element("title", f"{printable(name)}: {value:.4f}")
            drawn.append(element("path", tip, d=path(ends), class_="reference", stroke_dasharray=reference_dashes(i)))
    for one in series:
        drawn += _bands(one, x, y, styles[one.name])
    for one in series:
        style, places = styles[one.name], [at(x, y, point) for point in zip(one.x, one.y, strict=True)]
        if len(places) > 1:
            drawn.append(element("path", d=path(places), class_=f"line {style.color}", stroke_dasharray=style.dashes))
    for one in series:
        some = _thinned(one, _POINTS.share(len(series)))
        drawn += [_point(some, i, x, y, styles[one.name]) for i in range(len(some.x))]
    return Chart(title, _whole(title, drawn))


def bar_chart(title: str, names: Sequence[str], values: Sequence[int], tips: Sequence[str], x: str, y: Axis) -> Chart:
    """Draw a bar for each name, with its value above it.

    Parameters
    ----------
    title : str
        What the chart shows.
    names, values, tips : sequences
        What stands under each bar, how high it is, and what is shown when it is pointed at.
    x : str
        What the names are.
    y : Axis
        The axis of the values, from 0.
    """
    across = Axis(0, len(names), x, [(i + 0.5, name) for i, name in enumerate(names)])
    drawn = axes(across, y)
    for i, (value, tip) in enumerate(zip(values, tips, strict=True)):
        left, top = at(across, y, (i + 0.12, value))
        right, bottom = at(across, y, (i + 0.88, 0))
        bar = element("rect", x=left, y=top, width=right - left, height=max(bottom - top, 0.0), class_="bar")
        hit = element("rect", x=left, y=float(TOP), width=right - left, height=bottom - TOP, class_="hit")
        label = element("text", f"{value:,}", x=(left + right) / 2, y=top - 4, class_="value", text_anchor="middle")
        where = {"data_x": number((left + right) / 2), "data_y": number(top)}
        drawn.append(element("g", element("title", tip), hit, bar, label, class_="point", **where))
    return Chart(title, _whole(title, drawn))


def range_names(names: Sequence[str]) -> list[str]:
    """Return short names for ranges such as ``"301–1000"``: where there are many, their upper ends alone.

    Examples
    --------
    >>> range_names(["0", "1–3"]), range_names(["0", "1–3", "4–10", "11–30", "31–100", "101–300", "301–1000"])[-2:]
    (['0', '1–3'], ['≤300', '≤1k'])
    """
    if len(names) <= _MOST_RANGES:
        return list(names)
    ends = [name.rpartition("–")[2] for name in names]
    ends = [f"{end.removesuffix('000')}k" if end.endswith("000") else end for end in ends]
    return [end if "–" not in name else f"≤{end}" for name, end in zip(names, ends, strict=True)]


def legend_of(
    names: Sequence[str], styles: Mapping[str, Style], references: Mapping[str, str] | None = None
) -> list[tuple[str, Markup]]:
    """Return the entries of a legend: the curves, and the references with what is said of each."""
    entries = [(printable(name), sample_of(styles[name])) for name in names]
    for i, (name, text) in enumerate((references or {}).items()):
        entries.append((f"{printable(name)}, {text}", _sample("reference", reference_dashes(i))))
    return entries


def sample_of(style: Style) -> Markup:
    """Return a piece of a curve."""
    return _sample(f"line {style.color}", style.dashes)


def reference_dashes(i: int) -> str | None:
    """Return the dashes of the i-th reference line."""
    return _dashes(REFERENCE_LINESTYLES[i % len(REFERENCE_LINESTYLES)], 1.2)


def _dashes(linestyle: Any, width: float = _LINE_WIDTH) -> str | None:
    return None if linestyle == "-" else " ".join(number(float(length) * width) for length in linestyle[1])


def _sample(style: str, dashes: str | None) -> Markup:
    line = element("path", d="M0 5L34 5", class_=style, stroke_dasharray=dashes)
    return element("svg", line, viewBox="0 0 34 10", width=34, height=10, aria_hidden="true")


def _bands(one: Series, x: Axis, y: Axis, style: Style) -> list[Markup]:
    if one.low is None or one.high is None or len(one.x) < 2 or np.array_equal(one.low, one.high):
        return []
    there = [at(x, y, point) for point in zip(one.x, one.high, strict=True)]
    back = [at(x, y, point) for point in zip(one.x[::-1], one.low[::-1], strict=True)]
    return [element("path", d=path(there + back) + "Z", class_=f"band {style.color}")]


def _point(one: Series, i: int, x: Axis, y: Axis, style: Style) -> Markup:
    cx, cy = at(x, y, (float(one.x[i]), float(one.y[i])))
    # A large circle that is not seen is easier to point at than the small one.
    hit = element("circle", cx=cx, cy=cy, r=9, class_="hit")
    dot = element("circle", cx=cx, cy=cy, r=2.5, class_=f"dot {style.color}")
    inside = (element("title", one.tips[i]), hit, dot)
    return element("g", *inside, class_="point", data_x=number(cx), data_y=number(cy))


def _thinned(one: Series, most: int) -> Series:
    """Return a curve with at most so many points, its ends among them."""
    if len(one.x) <= most:
        return one
    kept = np.unique(np.linspace(0, len(one.x) - 1, most).round().astype(int))
    low, high = (None if band is None else band[kept] for band in (one.low, one.high))
    return Series(one.name, one.x[kept], one.y[kept], [one.tips[i] for i in kept.tolist()], low, high)


def _whole(title: str, drawn: Sequence[Markup]) -> Markup:
    frame = element("rect", x=LEFT, y=TOP, width=WIDTH - LEFT - RIGHT, height=HEIGHT - TOP - BOTTOM, class_="hit")
    box = f"0 0 {WIDTH} {HEIGHT}"
    return element("svg", frame, *drawn, viewBox=box, class_="chart", role="img", aria_label=title, tabindex=0)
