"""Figures: how the samplers converge, and what they draw. matplotlib is imported when a figure is made."""

from vsenumba.plotting.convergence import convergence_figure
from vsenumba.plotting.law import law_figure
from vsenumba.plotting.save import save_figure

__all__ = ["convergence_figure", "law_figure", "save_figure"]
