"""How probable each label is as a negative of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vsenumba.checks import RandomLike
from vsenumba.experiments.sampler_law import inspect_image
from vsenumba.models import ImageAnnotator
from vsenumba.plot.drawing import add_legend, drawing_on
from vsenumba.plotting.law import draw_own, draw_probabilities, draw_references, label_ranks
from vsenumba.plotting.style import looks
from vsenumba.plotting.ticks import label_log_axis
from vsenumba.samplers import as_sampler

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def law(
    model: ImageAnnotator,
    image: str,
    *,
    sampler: Any = None,
    n_draws: int = 100_000,
    rng: RandomLike = 0,
    ax: Axes | None = None,
) -> Axes:
    """Plot a sampler's exact law for one image: each label's probability of being the negative, by the label's rank.

    Dots are labels, the line is their mean over a bin of ranks, and bars are draws. The exact rank law and the uniform
    law are drawn for comparison.

    Parameters
    ----------
    model : ImageAnnotator
        A fitted model.
    image : str
        The id of an image that the model was trained on.
    sampler : Sampler or str, optional
        The sampler; the model's own by default.
    n_draws : int
        The number of draws for the bars.
    rng : int, Generator, SeedSequence or None
        The random seed of the draws.
    ax : matplotlib.axes.Axes, optional
        Where to draw; pyplot's current axes by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axes; both are logarithmic.

    Raises
    ------
    InputError
        If the image has no label or every label.
    UnknownNameError
        If the model does not know the image.

    Examples
    --------
    >>> import vsenumba as vse
    >>> from matplotlib.figure import Figure
    >>> data = vse.synthetic(60, 12, 240, rng=0)
    >>> model = vse.ImageAnnotator(n_epochs=3, random_state=0).fit(data)
    >>> vse.plot.law(model, data.image_ids[0], sampler="rank", n_draws=1000, ax=Figure().subplots()).get_ylabel()
    'probability of a label'
    """
    sampler = model.member("sampler") if sampler is None else as_sampler(sampler)
    seen = inspect_image(model, image, sampler=sampler, n_draws=n_draws, rng=rng)
    name = sampler.name
    with drawing_on(ax) as panel:
        draw_probabilities(panel, seen.law, seen.counts, seen.n_given_up, looks([name])[name].color, name)
        draw_references([panel], seen.references())
        draw_own(panel, seen.own_ranks)
        label_ranks(panel, len(seen.law))
        label_log_axis(panel.yaxis)
        add_legend(panel, *panel.get_legend_handles_labels(), fontsize="small")
    return panel
