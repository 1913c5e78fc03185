"""Write figures to files that are always complete, with the same bytes for the same figure."""

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

# How many characters without a font the warning names.
N_NAMED = 5
# Files have no version and no date, so that the same figure gives the same bytes.
FORMATS: dict[str, dict[str, Any]] = {
    ".png": {"dpi": 200, "metadata": {"Software": None}},
    ".svg": {"metadata": {"Date": None, "Creator": None}},
    ".pdf": {"metadata": {"CreationDate": None, "Creator": None, "Producer": None}},
}
# In SVG files, text stays text, so it can be searched and edited. Ids do not depend on the process.
RC: Any = {"svg.fonttype": "none", "svg.hashsalt": "vsenumba", "pdf.fonttype": 42}


def check_ending(path: str | PathLike[str]) -> str:
    """Return the extension of a figure file in lower case, or raise an error if it is not in `FORMATS`."""
    suffix = ending_of(path)
    if suffix not in FORMATS:
        raise InputError(f"figure {str(path)!r} ends in {suffix!r}; use one of {', '.join(FORMATS)}")
    return suffix


def save_figure(figure: Figure, path: str | PathLike[str]) -> None:
    """Write a figure as PNG, SVG or PDF.

    The file is complete at any time, and the same figure always gives the same bytes. A PNG file has 200 dots per inch.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        A figure from `convergence_figure` or `law_figure`, or any other figure.
    path : str or path-like
        The file. Its extension selects the format: ``.png``, ``.svg`` or ``.pdf``.

    Raises
    ------
    InputError
        If the extension is another one, or the file cannot be written.

    Warns
    -----
    UserWarning
        If no installed font has some characters of the figure. The warning names them.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from matplotlib.figure import Figure
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_figure(Figure(), Path(folder) / "empty.png")
    ...     [file.name for file in Path(folder).iterdir()]
    ['empty.png']
    """
    import matplotlib as mpl

    suffix = check_ending(path)
    missing = give_fonts(figure)
    with open_output(path) as file, mpl.rc_context(RC), warnings.catch_warnings():
        warnings.filterwarnings("ignore", MISSING)
        figure.savefig(file, format=suffix[1:], **FORMATS[suffix])
    _warn_of(missing, path)


def save_pages(figures: Iterable[Figure], path: str | PathLike[str]) -> None:
    """Write figures as the pages of a PDF file, one at a time; see `save_figure`."""
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
            f"{path} has boxes instead of characters that no installed font has: {' '.join(missing[:N_NAMED])}{more}; "
            "install a font that has them, such as Noto Sans CJK",
            UserWarning,
            stacklevel=3,
        )
