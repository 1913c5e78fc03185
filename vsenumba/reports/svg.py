"""Drawing in SVG: elements whose text is escaped, axes, and their ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup, escape

# In the units of the drawing, which a wide screen shows as pixels.
WIDTH, HEIGHT = 460, 300
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 30, 44

# The steps of a logarithmic axis that have a label, while it reaches over less than so many powers of ten.
_STEPS = ((1.0, (1, 2, 3, 5)), (1.7, (1, 2, 5)), (3.0, (1, 3)), (math.inf, (1,)))


class Axis(NamedTuple):
    """An axis: its ends, what it shows, its ticks, and whether it is logarithmic."""

    low: float
    high: float
    label: str
    ticks: Sequence[tuple[float, str]]
    is_log: bool = False

    def place(self, value: float) -> float:
        """Return where on the axis a value is, from 0 at its low end to 1."""
        if self.is_log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def element(tag: str, *inside: Any, **attributes: Any) -> Markup:
    """Return an element of SVG; everything but markup is escaped.

    ``class_`` stands for ``class``, an underscore for a hyphen. An attribute that is None is left out.

    Examples
    --------
    >>> print(element("text", "<b>", x=1.25, class_="tick", text_anchor="end"))
    <text x="1.25" class="tick" text-anchor="end">&lt;b&gt;</text>
    """
    names = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(number(value) if isinstance(value, float) else value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{tag}{names}>{''.join(map(str, map(escape, inside)))}</{tag}>")  # noqa: S704 - all of it is escaped


def number(value: float) -> str:
    """Return a length in as few characters as show it."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def at(x: Axis, y: Axis, point: tuple[float, float]) -> tuple[float, float]:
    """Return where in the drawing a point is."""
    return (
        LEFT + x.place(point[0]) * (WIDTH - LEFT - RIGHT),
        HEIGHT - BOTTOM - y.place(point[1]) * (HEIGHT - TOP - BOTTOM),
    )


def path(points: Iterable[tuple[float, float]]) -> str:
    """Return the description of a line through some points of the drawing."""
    return "M" + "L".join(f"{number(a)} {number(b)}" for a, b in points)


def axes(x: Axis, y: Axis) -> list[Markup]:
    """Return the lines, the ticks and the labels of both axes."""
    left, bottom, right = float(LEFT), float(HEIGHT - BOTTOM), float(WIDTH - RIGHT)
    drawn = []
    for value, text in y.ticks:
        height = at(x, y, (x.low, value))[1]
        drawn.append(element("path", d=path([(left, height), (right, height)]), class_="grid"))
        drawn.append(element("text", text, x=left - 7, y=height + 4, class_="tick", text_anchor="end"))
    for value, text in x.ticks:
        place = at(x, y, (value, y.low))[0]
        drawn.append(element("path", d=path([(place, bottom), (place, bottom + 4)]), class_="axis"))
        drawn.append(element("text", text, x=place, y=bottom + 17, class_="tick", text_anchor="middle"))
    drawn.append(element("path", d=path([(left, bottom), (right, bottom)]), class_="axis"))
    middle = (left + right) / 2
    drawn.append(element("text", x.label, x=middle, y=float(HEIGHT - 6), class_="name", text_anchor="middle"))
    # Above the axis, where it can be read without turning the head, and lies on no tick.
    drawn.append(element("text", y.label, x=4, y=14, class_="name"))
    return drawn


def linear_axis(values: Any, label: str, *, from_zero: bool = False, whole: bool = False) -> Axis:
    """Return an axis over some finite values, with a margin.

    Examples
    --------
    >>> [text for _, text in linear_axis([0.52, 0.71], "MRR").ticks]
    ['0.55', '0.6', '0.65', '0.7']
    """
    low, high = float(np.min(values)), float(np.max(values))
    low = min(low, 0.0) if from_zero else low
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    low, high = (low if from_zero else low - margin), high + margin
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((power * n for n in (1, 2, 5) if power * n >= rough), 10 * power)
    if whole:
        step = max(1.0, round(step))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return Axis(low, high, label, [(i * step, plain(i * step)) for i in range(first, last + 1)])


def log_axis(values: Any, label: str) -> Axis:
    """Return a logarithmic axis over some values above 0, with a margin.

    Examples
    --------
    >>> [text for _, text in log_axis([0.3, 40.0], "seconds").ticks]
    ['0.3', '1', '3', '10', '30']
    """
    low, high = float(np.min(values)), float(np.max(values))
    margin = max((high / low) ** 0.03, 1.02)
    low, high = low / margin, high * margin
    decades = math.log10(high / low)
    steps = next(steps for end, steps in _STEPS if decades < end)
    every = max(1, math.ceil(decades / 6))
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    places = [step * 10.0**power for power in powers if power % every == 0 for step in steps]
    return Axis(low, high, label, [(one, plain(one)) for one in places if low <= one <= high], is_log=True)


def plain(value: float) -> str:
    """Return a number as an axis shows it, without a power of ten.

    Examples
    --------
    >>> plain(1e-5), plain(20000.0), plain(0.30000000000000004)
    ('0.00001', '20,000', '0.3')
    """
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return np.format_float_positional(float(f"{value:.6g}"), trim="-")
