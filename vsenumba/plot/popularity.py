"""The long tail: few labels that many images have, and many that few have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vsenumba.data import Corpus
from vsenumba.data.annotation.coercion import as_annotation_set
from vsenumba.errors import InputError
from vsenumba.plot.drawing import drawing_on
from vsenumba.plotting.style import SAMPLER_LOOKS
from vsenumba.plotting.ticks import label_log_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def popularity(data: Any, *, ax: Axes | None = None) -> Axes:
    """Plot how many images each label has, the most common label first.

    Parameters
    ----------
    data : AnnotationSet, Corpus, or what `ImageAnnotator.fit` accepts
        The set; of a corpus the plot shows how often each word occurs.
    ax : matplotlib.axes.Axes, optional
        Where to draw; pyplot's current axes by default. Call it twice with the same axes to compare two sets.

    Returns
    -------
    matplotlib.axes.Axes
        The axes; both are logarithmic. Labels without an image are left out.

    Raises
    ------
    InputError
        If no image has a label.

    Examples
    --------
    >>> import vsenumba as vse
    >>> from matplotlib.figure import Figure
    >>> ax = vse.plot.popularity(vse.load_dataset("openclipart"), ax=Figure().subplots())
    >>> ax.get_lines()[0].get_ydata()[:3]
    array([1501, 1386, 1358])
    """
    is_text = isinstance(data, Corpus)
    counts = data.counts if is_text else as_annotation_set(data).label_counts
    counts = np.sort(counts[counts > 0])[::-1]
    if len(counts) == 0:
        raise InputError("no image has a label; there is nothing to draw")
    with drawing_on(ax) as panel:
        color = [*SAMPLER_LOOKS.values()][2 + len(panel.get_lines()) % 4].color
        panel.plot(np.arange(1, len(counts) + 1), counts, color=color, drawstyle="steps-mid")
        panel.set_xscale("log")
        panel.set_yscale("log")
        for axis in (panel.xaxis, panel.yaxis):
            label_log_axis(axis)
        panel.set_xlabel("rank of the word, most common first" if is_text else "rank of the label, most common first")
        panel.set_ylabel("occurrences of the word" if is_text else "images of the label")
    return panel
