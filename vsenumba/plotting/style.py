"""The style of figures: fonts for print, and a fixed colour, line and marker for every sampler."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

# The text width of a page with two columns, in inches.
FULL_WIDTH = 7.0

# Figures are readable in print without scaling. Lines are thin and there is no frame, so that the data stand out.
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
    """The colour, the dash pattern and the marker of a curve. Each of them alone distinguishes the curve."""

    color: str
    linestyle: Any
    marker: str


# The colours of Okabe and Ito, which people with any colour vision can distinguish, without yellow, which is too pale.
SAMPLER_LOOKS = {
    "uniform": Look("#000000", (0, (1, 1.2)), "s"),
    "popularity": Look("#E69F00", (0, (5, 1.5)), "D"),
    "warp": Look("#0072B2", (0, (4, 1.2, 1, 1.2)), "^"),
    "dynamic": Look("#009E73", (0, (7, 1.5, 1, 1.5, 1, 1.5)), "v"),
    "rank": Look("#CC79A7", (0, (2.5, 1)), "X"),
    "adaptive": Look("#D55E00", "-", "o"),
}
# For other methods. The numbers of colours, patterns and markers have no common divisor, so there are 60 looks.
OTHER_COLORS = ("#56B4E9", "#7F7F7F", "#8C5A1E")
OTHER_LINESTYLES: tuple[Any, ...] = ("-", (0, (1, 1.2)), (0, (6, 1.5)), (0, (4, 1.2, 1, 1.2)))
OTHER_MARKERS = ("P", "<", ">", "p", "h")
REFERENCE_COLOR = "#6E6E6E"
REFERENCE_LINESTYLES: tuple[Any, ...] = ((0, (6, 3)), (0, (1, 1.5)), (0, (8, 2, 1, 2)), (0, (3, 1, 1, 1, 1, 1)))


def looks(names: Iterable[str]) -> dict[str, Look]:
    """Return the style of every name: a sampler's fixed style, or the next free one for other methods.

    Variants of a sampler, such as ``"adaptive (lam=0.1)"``, have the sampler's colour. From the second variant on, they
    have other dash patterns and markers.

    Parameters
    ----------
    names : iterable of str
        The names of the methods.

    Returns
    -------
    dict from str to Look
        The styles of all names, and of all samplers.

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
    """Return the sampler in a name such as ``"adaptive (lam=0.1)"``; None if the name is not that of a sampler."""
    base = name.split(" ")[0]
    return base if base in SAMPLER_LOOKS else None
