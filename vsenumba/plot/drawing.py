"""The axes that a plot is drawn on: those that are given, or pyplot's current ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from vsenumba.errors import InputError
from vsenumba.plotting.letters import AS_IT_IS, give_fonts
from vsenumba.plotting.style import Look, looks
from vsenumba.printable import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@contextmanager
def drawing_on(ax: Axes | None) -> Iterator[Axes]:
    """Yield the axes to draw on; names drawn on them are shown as they are, in fonts that have their letters.

    Raises
    ------
    InputError
        If `ax` is not matplotlib's axes.
    """
    import matplotlib as mpl
    from matplotlib.axes import Axes

    if ax is None:
        # People expect it: only figures of pyplot show by themselves in a notebook.
        from matplotlib import pyplot

        if not pyplot.get_fignums():
            # Long labels of ticks would be cut off.
            pyplot.figure(layout="constrained")
        ax = pyplot.gca()
    if not isinstance(ax, Axes):
        raise InputError(f"ax must be one matplotlib Axes, such as pyplot.subplots()[1], not {ax!r:.80}")
    with mpl.rc_context(AS_IT_IS):
        yield ax
    give_fonts(ax)


def looks_of(names: Iterable[str]) -> dict[str, Look]:
    """Return the look of every name, see `looks`; what has no name is alone on its axes, and dark blue."""
    return looks(names) | {"": Look("#0072B2", "-", "o")}


def add_legend(ax: Axes, lines: Sequence[Any], texts: Sequence[str], **settings: Any) -> None:
    """Add a legend of some lines, without a frame."""
    if lines:
        ax.legend(lines, [printable(text) for text in texts], frameon=False, **settings)
