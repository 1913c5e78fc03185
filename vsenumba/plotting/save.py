"""Writing figures to files, whole and the same bytes every time."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from os import PathLike
from typing import TYPE_CHECKING, Any

from vsenumba.errors import InputError
from vsenumba.plotting.letters import MISSING, give_fonts
from vsenumba.storage import ending_of, open_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Of the letters that have no font.
N_NAMED = 5
# No version and no date, so that the same figure gives the same file.
FORMATS: dict[str, dict[str, Any]] = {
    ".png": {"dpi": 200, "metadata": {"Software": None}},
    ".svg": {"metadata": {"Date": None, "Creator": None}},
    ".pdf": {"metadata": {"CreationDate": None, "Creator": None, "Producer": None}},
}
# Text stays text: it can be searched and edited, and its ids do not depend on the process.
RC: Any = {"svg.fonttype": "none", "svg.hashsalt": "vsenumba", "pdf.fonttype": 42}


def check_ending(path: str | PathLike[str]) -> str:
    """Return the ending of a figure's file, in small letters, or refuse one that is not among `FORMATS`."""
    suffix = ending_of(path)
    if suffix not in FORMATS:
        raise InputError(f"figure {str(path)!r} ends in {suffix!r}; expected one of {', '.join(FORMATS)}")
    return suffix


def save_figure(figure: Figure, path: str | PathLike[str]) -> None:
    """Write a figure as PNG (200 dots an inch), SVG or PDF, by the ending of `path`.

    The file appears whole or not at all, and the same figure always gives the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What `convergence_figure` or `law_figure` returned, or any other figure.
    path : str or path-like
        Where to write, ending in ``.png``, ``.svg`` or ``.pdf``.

    Raises
    ------
    InputError
        If the ending is another, or the file cannot be written.

    Warns
    -----
    UserWarning
        If there is no font for some letters; they are named.
    """
    import matplotlib as mpl

    suffix = check_ending(path)
    missing = give_fonts(figure)
    with open_output(path) as file, mpl.rc_context(RC), warnings.catch_warnings():
        warnings.filterwarnings("ignore", MISSING)
        figure.savefig(file, format=suffix[1:], **FORMATS[suffix])
    _warn_of(missing, path)


def save_pages(figures: Iterable[Figure], path: str | PathLike[str]) -> None:
    """Write figures as the pages of a PDF, one at a time; see `save_figure`."""
    import matplotlib as mpl
    from matplotlib.backends.backend_pdf import PdfPages

    missing: set[str] = set()
    with open_output(path) as file, mpl.rc_context(RC), PdfPages(file, metadata=FORMATS[".pdf"]["metadata"]) as pages:
        for figure in figures:
            missing |= set(give_fonts(figure))
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", MISSING)
                pages.savefig(figure)
    _warn_of(sorted(missing), path)


def _warn_of(missing: list[str], path: str | PathLike[str]) -> None:
    if missing:
        more = f" and {len(missing) - N_NAMED} more" if len(missing) > N_NAMED else ""
        warnings.warn(
            f"{path} has boxes instead of letters that no font here has: {' '.join(missing[:N_NAMED])}{more}; install "
            "one that has, such as Noto Sans CJK",
            UserWarning,
            stacklevel=3,
        )
