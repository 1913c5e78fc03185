"""Pieces of HTML for notebooks: safe text, small tables, a curve. They need no script, style sheet or element id."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from vsenumba.printable import printable

# Characters of a cell; the rest of a longer text is cut off.
_LONGEST = 120
# Points of a curve: as many as its width in pixels can show.
_MOST_POINTS = 60
_WIDTH, _HEIGHT = 120, 16

# Colours are those of the notebook's theme: only lines are drawn, in the colour of the text.
_TABLE = "border-collapse:collapse;margin:.3em 0"
_CELL = "padding:.1em .8em .1em 0;vertical-align:top;text-align:"
# Texts of more characters may break anywhere on a narrow screen; a number never does.
_SHORT = 20
_BREAKS = "overflow-wrap:anywhere;min-width:8em;"
_FAINT = "opacity:.7"


class Html(str):
    """Text that is HTML already, and is not escaped again."""

    __slots__ = ()


def text(value: object) -> Html:
    """Return a value as text that no browser takes for anything else; a long text is cut.

    Examples
    --------
    >>> text("<script>")
    '&lt;script&gt;'
    """
    if isinstance(value, Html):
        return value
    shown = str(value)
    return Html(escape(printable(shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…")))


def number(value: Any) -> str:
    """Return a number as people read it.

    Examples
    --------
    >>> number(12345), number(0.25), number(0.00001)
    ('12,345', '0.2500', '1e-05')
    """
    if hasattr(value, "__index__"):
        return f"{int(value):,}"
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e3 else f"{value:,.4g}"


def table(rows: Iterable[Sequence[Any]], head: Sequence[str] = ()) -> Html:
    """Return a table, or nothing if it has no row. Numbers are aligned right; other values are shown by `text`.

    Parameters
    ----------
    rows : iterable of sequences
        The cells. The first cell of a row names it.
    head : sequence of str
        What stands above the columns.
    """
    body = [list(row) for row in rows]
    if not body:
        return Html("")
    numeric = [any(_is_number(row[i]) for row in body if i < len(row)) for i in range(len(body[0]))]
    parts = [f'<table style="{_TABLE}">']
    if head:
        cells = "".join(_cell("th", name, right) for name, right in zip(head, numeric, strict=False))
        parts.append(f"<thead><tr>{cells}</tr></thead>")
    lines = ("".join(_cell("td", cell, _is_number(cell)) for cell in row) for row in body)
    parts += ["<tbody>", *(f"<tr>{line}</tr>" for line in lines), "</tbody></table>"]
    return Html("".join(parts))


def panel(title: str, note: str, *parts: Html) -> Html:
    """Return a heading, a short note beside it, and what stands below."""
    beside = f' <span style="{_FAINT}">{text(note)}</span>' if note else ""
    head = f"<div><strong>{text(title)}</strong>{beside}</div>"
    return Html(f'<div style="max-width:100%;overflow-x:auto">{head}{"".join(parts)}</div>')


def facts(values: Mapping[str, Any]) -> Html:
    """Return a table of names and values, without those that are empty."""
    shown = {name: number(value) if _is_number(value) else text(value) for name, value in values.items() if value != ""}
    return table([(Html(f'<span style="{_FAINT}">{text(name)}</span>'), value) for name, value in shown.items()])


def details(summary: str, body: Html) -> Html:
    """Return what is shown once people open it."""
    return Html(f'<details><summary style="cursor:pointer">{text(summary)}</summary>{body}</details>')


def spread(values: Any) -> str:
    """Return the smallest, the median and the largest of some whole numbers.

    Examples
    --------
    >>> spread([1, 2, 2, 7])
    '1 to 7, median 2'
    """
    if len(values) == 0:
        return "none"
    import numpy as np  # the command line imports this module to show its help

    least, most = np.min(values), np.max(values)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}, median {np.median(values):g}"


def counted_names(pairs: Iterable[tuple[str, int]]) -> Html:
    """Return names with how often each occurs, in one line."""
    return Html(
        ", ".join(f'<bdi>{text(name)}</bdi>&nbsp;<span style="{_FAINT}">{number(n)}</span>' for name, n in pairs)
    )


def curve(values: Iterable[float], *, low: float | None = None, high: float | None = None) -> Html:
    """Return a small line over the values in order; what is not finite is left out.

    Parameters
    ----------
    values : iterable of float
        The values.
    low, high : float, optional
        What the lower and the upper edge stand for, so that several curves can be compared; the smallest and the
        largest value by default.
    """
    points = [(i, float(value)) for i, value in enumerate(values) if math.isfinite(value)]
    if len(points) < 2:
        return Html("")
    step = max(1, math.ceil(len(points) / _MOST_POINTS))
    # The last one is always there.
    points = [*points[:-1:step], points[-1]]
    low = min(value for _, value in points) if low is None else low
    high = max(value for _, value in points) if high is None else high
    first, across, up = points[0][0], points[-1][0] - points[0][0], (high - low) or 1.0
    line = " ".join(
        f"{(i - first) / across * (_WIDTH - 4) + 2:.1f},{_HEIGHT - 2 - (value - low) / up * (_HEIGHT - 4):.1f}"
        for i, value in points
    )
    said = f"from {number(points[0][1])} to {number(points[-1][1])}"
    return Html(
        f'<svg role="img" aria-label="{said}" width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'style="vertical-align:middle"><polyline points="{line}" fill="none" stroke="currentColor" '
        'stroke-width="1.5" stroke-linejoin="round"/></svg>'
    )


def bar(share: float) -> Html:
    """Return a bar of which a share, in 0..1, is full."""
    width = 100 * min(max(share, 0.0), 1.0)
    return Html(
        '<span style="display:inline-block;width:10em;max-width:40%;height:.7em;border:1px solid currentColor;'
        'border-radius:.35em;overflow:hidden;vertical-align:-.05em"><span style="display:block;height:100%;'
        f'width:{width:.1f}%;background:currentColor"></span></span>'
    )


def _is_number(value: object) -> bool:
    return hasattr(value, "__float__") and not isinstance(value, (str, bool))


def _cell(tag: str, value: Any, right: bool) -> str:
    shown = text(number(value)) if _is_number(value) else text("" if value is None else value)
    breaks = "white-space:nowrap;" if _is_number(value) else _BREAKS * (len(shown) > _SHORT and "<" not in shown)
    return f'<{tag} style="{breaks}{_CELL}{"right" if right else "left"}">{shown}</{tag}>'
