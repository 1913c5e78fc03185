"""Contact sheets: a grid of thumbnails, each with its suggestions, their scores and the known tags."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from os import PathLike
from typing import TYPE_CHECKING, Any, NamedTuple

from vsenumba.plotting.letters import AS_IT_IS, MISSING, give_fonts, shortened, width_of
from vsenumba.plotting.save import check_ending, save_figure, save_pages
from vsenumba.plotting.style import FULL_WIDTH, RC
from vsenumba.printable import printable
from vsenumba.sheets.suggested import Suggested
from vsenumba.sheets.thumbnails import thumbnail_or_none

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.text import Text

COLUMNS = 6
# In inches: the distance between pictures, the side of a picture, the gap between columns, the height of a text line.
PITCH = FULL_WIDTH / COLUMNS
SIDE = 1.06
GAP = PITCH - SIDE
LINE = 0.098
HEADING = 0.16
# Maximum number of pictures per image, per page of a PDF and per file, and of suggestions per picture.
ON_AN_IMAGE = 60
ON_A_PAGE = 30
IN_A_FILE = {".png": ON_AN_IMAGE, ".svg": ON_AN_IMAGE, ".pdf": 100 * ON_A_PAGE}
MOST_SUGGESTIONS = 12
# Dots per inch of an image; text is measured at the resolution at which it is drawn.
DPI = 200
# Pixels of a thumbnail, equal to its dots in the image.
PIXELS = 212
# Maximum number of lines and of tags for the known tags of a picture.
KNOWN_LINES = 2
MOST_KNOWN = 12
# Longer names never fit, and measuring them takes long.
_WIDEST = 80

_NAME = {"fontsize": 4.8, "color": "#6b7280"}
_LABEL = {"fontsize": 6.2, "color": "#111827", "fontweight": "bold"}
_SCORE = {"fontsize": 5.8, "color": "#4b5563", "ha": "right"}
_KNOWN = {"fontsize": 5.4, "color": "#4b5563", "fontstyle": "italic", "linespacing": 1.15}
_NOTHING = {"fontsize": 5.4, "color": "#6b7280"}


class _Fit(NamedTuple):
    """A text, its maximum width in inches, and the names in it."""

    text: Text
    width: float
    parts: list[str]


def save_contact_sheet(suggested: Iterable[Suggested], path: str | PathLike[str], title: str = "") -> tuple[int, int]:
    """Draw pictures with the tags suggested for them, as PNG, SVG or PDF.

    An image shows the first 60 pictures. A PDF shows the first 3,000, on pages of 30. If there are more, the title
    states the total. Long names are shortened in the middle.

    Parameters
    ----------
    suggested : iterable of Suggested
        The pictures, in the order in which to draw them. A note replaces a picture that cannot be read.
    path : str or path-like
        The file to write, ending in ``.png``, ``.svg`` or ``.pdf``.
    title : str
        The title of the sheet.

    Returns
    -------
    tuple of (int, int)
        The number of pictures shown, and the number of all pictures.

    Raises
    ------
    InputError
        If the ending is not supported, or the file cannot be written.

    Warns
    -----
    UserWarning
        If no font has some of the characters.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from vsenumba.data.matches import Match
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cat = Suggested(Path(folder, "cat.jpg"), "cat.jpg", ["pet"], [Match("cat", 0.9)])
    ...     save_contact_sheet([cat] * 70, Path(folder, "sheet.png"))
    (60, 70)
    """
    with contact_sheet(path, title) as add:
        counts = (0, 0)
        for one in suggested:
            counts = add(one)
    return counts


@contextmanager
def contact_sheet(path: str | PathLike[str], title: str = "") -> Iterator[Callable[[Suggested], tuple[int, int]]]:
    """Yield a function that adds a picture to a sheet; the sheet is drawn if the block succeeds.

    The function returns the number of pictures shown so far, and the number added; see `save_contact_sheet`.
    """
    most = IN_A_FILE[check_ending(path)]
    kept: list[Suggested] = []
    n_pictures = 0

    def add(one: Suggested) -> tuple[int, int]:
        nonlocal n_pictures
        n_pictures += 1
        if len(kept) < most:
            kept.append(one._replace(suggestions=one.suggestions[:MOST_SUGGESTIONS]))
        return len(kept), n_pictures

    yield add
    heading = printable(title)
    if len(kept) < n_pictures:
        heading += f"{' · ' if heading else ''}the first {len(kept):,} of {n_pictures:,} pictures"
    if check_ending(path) == ".pdf":
        starts = range(0, max(len(kept), 1), ON_A_PAGE)
        save_pages((draw_sheet(kept[start : start + ON_A_PAGE], heading) for start in starts), path)
    else:
        save_figure(draw_sheet(kept, heading), path)


def draw_sheet(suggested: list[Suggested], heading: str) -> Figure:
    """Return one page of a contact sheet."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    rows = [suggested[start : start + COLUMNS] for start in range(0, len(suggested), COLUMNS)]
    heights = [_height(row) for row in rows]
    lines = textwrap.wrap(heading, 110)
    top = HEADING * len(lines) + (0.08 if lines else 0)
    height = max(top + sum(heights) + GAP / 2, 0.3)
    with mpl.rc_context(RC | AS_IT_IS):
        figure = Figure(figsize=(FULL_WIDTH, height), dpi=DPI)
        # One panel, measured in inches from the top left.
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, FULL_WIDTH), ylim=(height, 0), autoscale_on=False)
        axes.set_axis_off()
        for i, line in enumerate(lines):
            axes.text(GAP / 2, 0.06 + HEADING * i, line, fontsize=8, va="top")
        fits: list[_Fit] = []
        for row, row_height in zip(rows, heights, strict=True):
            for column, one in enumerate(row):
                fits += _draw(axes, GAP / 2 + PITCH * column, top + GAP / 2, one)
            top += row_height
        _fit_all(figure, fits)
    return figure


def _height(row: list[Suggested]) -> float:
    n_lines = max(1 + max(len(one.suggestions), 1) + (KNOWN_LINES if one.known else 0) for one in row)
    return SIDE + LINE * n_lines + 2.2 * GAP


def _draw(axes: Any, x: float, y: float, one: Suggested) -> Iterator[_Fit]:
    """Draw a picture; yield the texts below it, which must still be shortened to its width."""
    from matplotlib.patches import Rectangle

    pixels = thumbnail_or_none(one.picture, PIXELS)
    if pixels is None:
        axes.text(x + SIDE / 2, y + SIDE / 2, "cannot be read", ha="center", va="center", **_NOTHING)
    else:
        axes.imshow(pixels, extent=(x, x + SIDE, y + SIDE, y), aspect="auto", interpolation="antialiased")
    axes.add_patch(Rectangle((x, y), SIDE, SIDE, fill=False, edgecolor="#d1d5db", linewidth=0.4))
    y += SIDE + 0.03

    def written(text: str, where: float, style: dict[str, Any]) -> Text:
        text_there: Text = axes.text(where, y, text, va="top", **style)
        return text_there

    name = printable(one.image)
    yield _Fit(written(name, x, _NAME), SIDE, [name])
    for label, score in one.suggestions:
        y += LINE
        number = f"{score:.2f}"
        written(number, x + SIDE, _SCORE)
        label = printable(label)
        yield _Fit(written(label, x, _LABEL), SIDE - 0.055 * len(number), [label])
    if not one.suggestions:
        y += LINE
        written("no suggestions", x, _NOTHING)
    if one.known:
        y += LINE + 0.012
        labels = [printable(label) for label in one.known]
        yield _Fit(written("has " + ", ".join(labels), x, _KNOWN), SIDE, labels)


def _fit_all(figure: Figure, fits: list[_Fit]) -> None:
    """Shorten texts to their maximum widths, measured in the fonts with which they are drawn."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    give_fonts(figure)
    canvas: Any = FigureCanvasAgg(figure)
    renderer = canvas.get_renderer()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", MISSING)
        for text, width, parts in fits:

            def fits_in(line: str, text: Text = text, width: float = width) -> bool:
                text.set_text(line)
                return bool(text.get_window_extent(renderer).width <= 0.98 * width * figure.dpi)

            if text.get_fontstyle() == "italic":
                text.set_text("\n".join(_known_lines(parts, fits_in)))
            else:
                text.set_text(_cut(parts[0], fits_in))


def _cut(name: str, fits_in: Callable[[str], bool]) -> str:
    """Return a name, shortened in the middle if it does not fit."""
    name = shortened(name, _WIDEST)
    for letters in range(width_of(name), 0, -1):
        if fits_in(shorter := shortened(name, letters)):
            return shorter
    return "…"


def _known_lines(labels: list[str], fits_in: Callable[[str], bool]) -> list[str]:
    """Return the lines of a picture's known tags; if not all fit, end with the number of the others."""
    words = [_cut(label, lambda text: fits_in(f"has {text}, + 99")) for label in labels[:MOST_KNOWN]]
    for n_shown in range(len(words), 0, -1):
        left = len(labels) - n_shown
        lines = ["has"]
        for i, word in enumerate([*words[:n_shown], f"+ {left}"] if left else words):
            longer = f"{lines[-1]}{', ' if i else ' '}{word}"
            if fits_in(longer + ","):
                lines[-1] = longer
            else:
                lines = [*lines[:-1], lines[-1] + ",", word]
        if len(lines) <= KNOWN_LINES:
            break
    return lines[:KNOWN_LINES]
