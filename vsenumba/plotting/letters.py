"""Names in figures: shown literally, in fonts that have their characters."""

from __future__ import annotations

import functools
import unicodedata
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

# Fonts that come with operating systems or are widely installed, for the scripts that DejaVu Sans lacks.
FALLBACKS = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans JP", "Noto Sans SC", "Source Han Sans", "WenQuanYi Zen Hei",
    "Droid Sans Fallback", "Hiragino Sans", "PingFang SC", "PingFang HK", "Apple SD Gothic Neo", "Yu Gothic",
    "Microsoft YaHei", "Malgun Gothic", "Arial Unicode MS", "Noto Sans Devanagari", "Noto Sans Bengali",
    "Noto Sans Tamil", "Noto Sans Thai", "Nirmala UI", "Leelawadee UI", "Noto Sans Symbols 2", "Segoe UI Symbol",
    "Apple Symbols", "Noto Emoji", "Segoe UI Emoji",
)  # fmt: skip
# Text between dollar signs is part of a name, not a formula.
AS_IT_IS: Any = {"text.parse_math": False}
MISSING = r"Glyph \d+ .*missing from font"


def width_of(text: str) -> int:
    """Return the width of a text in columns: two for characters of some scripts, none for combining accents."""
    return sum(_width(letter) for letter in text)


def _width(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def shortened(name: str, width: int) -> str:
    """Shorten a name to a maximum width by replacing its middle by an ellipsis.

    Parameters
    ----------
    name : str
        The name.
    width : int
        The maximum width in columns; see `width_of`.

    Returns
    -------
    str
        The name, unchanged if it is short enough.

    Examples
    --------
    >>> shortened("photographs/2004/summer/IMG_0231.jpg", 15)
    'photogr…231.jpg'
    """
    if width_of(name) <= width:
        return name
    end = _beginning(name[::-1], (width - 1) // 2)[::-1]
    return f"{_beginning(name, width - 1 - width_of(end))}…{end}"


def _beginning(text: str, width: int) -> str:
    for i, letter in enumerate(text):
        width -= _width(letter)
        if width < 0:
            return text[:i]
    return text


def give_fonts(artist: Artist) -> list[str]:
    """Give the texts of a figure or of axes fonts with their characters; return the characters that no font has."""
    from matplotlib.font_manager import findfont
    from matplotlib.text import Text

    lacking: set[str] = set()
    texts: Any = artist.findobj(Text)
    for text in texts:
        letters = set(text.get_text()) - {"\n"}
        left = letters - _letters_of(str(findfont(text.get_fontproperties())))
        if not left:
            continue
        families = []
        for family, path in _fallbacks(FALLBACKS):
            if left & _letters_of(path):
                families.append(family)
                left -= _letters_of(path)
        lacking |= left
        text.set_fontfamily([*(one for one in text.get_fontfamily() if one not in families), *families])
    return sorted(lacking)


@functools.lru_cache(maxsize=64)
def _letters_of(path: str) -> frozenset[str]:
    from matplotlib.font_manager import get_font

    return frozenset(map(chr, get_font(path).get_charmap()))


@functools.cache
def _fallbacks(families: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return the names and files of the installed fonts among `families`."""
    from matplotlib.font_manager import findfont, get_font_names

    installed = set(get_font_names())
    return tuple((family, str(findfont(family))) for family in families if family in installed)


def lay_out(figure: Figure) -> None:
    """Lay out a figure once and keep the result, because a second layout would move things by fractions of a point."""
    give_fonts(figure)
    with warnings.catch_warnings():
        # `save_figure` warns once about characters without a font. matplotlib would warn about each occurrence.
        warnings.filterwarnings("ignore", MISSING)
        figure.draw_without_rendering()
    figure.set_layout_engine("none")
