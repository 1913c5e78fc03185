"""How figures look: fonts for print, and a fixed colour, line and marker for every sampler."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

# Inches: the text width of a page with two columns.
FULL_WIDTH = 7.0

# Reads at print size without scaling. Thin lines and no frame leave the ink to the data.
RC: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 7.5,
    "axes.titlesize": 8,
    "axes.labelsize": 7.5,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "legend.fontsize": 7,
    "legend.title_fontsize": 7,
    "lines.linewidth": 1.2,
    "text.usetex": False,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "axes.grid": False,
}


class Look(NamedTuple):
    """A curve's colour, dash pattern and marker: each alone tells it from the others."""

    color: str
    linestyle: Any
    marker: str


# Okabe & Ito's colours, which people with any colour vision can tell apart; yellow is too pale for lines.
SAMPLER_LOOKS = {
    "uniform": Look("#000000", (0, (1, 1.2)), "s"),
    "popularity": Look("#E69F00", (0, (5, 1.5)), "D"),
    "warp": Look("#0072B2", (0, (4, 1.2, 1, 1.2)), "^"),
    "dynamic": Look("#009E73", (0, (7, 1.5, 1, 1.5, 1, 1.5)), "v"),
    "rank": Look("#CC79A7", (0, (2.5, 1)), "X"),
    "adaptive": Look("#D55E00", "-", "o"),
}
# For names that are no sampler's. Numbers of colours, dash patterns and markers that differ give 60 looks.
OTHER_COLORS = ("#56B4E9", "#7F7F7F", "#8C5A1E")
OTHER_LINESTYLES: tuple[Any, ...] = ("-", (0, (1, 1.2)), (0, (6, 1.5)), (0, (4, 1.2, 1, 1.2)))
OTHER_MARKERS = ("P", "<", ">", "p", "h")
REFERENCE_COLOR = "#6E6E6E"
REFERENCE_LINESTYLES: tuple[Any, ...] = ((0, (6, 3)), (0, (1, 1.5)), (0, (8, 2, 1, 2)), (0, (3, 1, 1, 1, 1, 1)))


def looks(names: Iterable[str]) -> dict[str, Look]:
    """Return the look of every name: a sampler's own, or the next free one for a name that is no sampler's.

    Variants of a sampler, as ``"adaptive (lam=0.1)"``, have its colour, and from the second on a dash pattern and a
    marker of their own.

    Examples
    --------
    >>> looks(["mine", "warp"])["warp"].marker
    '^'
    >>> looks(["warp", "warp (max_trials=10)"])["warp (max_trials=10)"].color == looks(["warp"])["warp"].color
    True
    """
    found: dict[str, Look] = {}
    variants: Counter[str] = Counter()
    for name in names:
        sampler = sampler_of(name)
        i = variants[sampler or ""]
        variants[sampler or ""] += 1
        if sampler is not None and i == 0:
            found[name] = SAMPLER_LOOKS[sampler]
            continue
        i -= sampler is not None
        color = OTHER_COLORS[i % len(OTHER_COLORS)] if sampler is None else SAMPLER_LOOKS[sampler].color
        linestyle = OTHER_LINESTYLES[(i + (sampler is not None)) % len(OTHER_LINESTYLES)]
        found[name] = Look(color, linestyle, OTHER_MARKERS[i % len(OTHER_MARKERS)])
    return SAMPLER_LOOKS | found


def sampler_of(name: str) -> str | None:
    """Return the sampler that a name is of, whatever parameters stand behind it; None where it is of none."""
    base = name.split(" ")[0]
    return base if base in SAMPLER_LOOKS else None
