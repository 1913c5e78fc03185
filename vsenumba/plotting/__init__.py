"""Figures: how fast and how well the samplers converge. matplotlib is imported when a figure is made."""

from vsenumba.plotting.convergence import convergence_figure
from vsenumba.plotting.save import save_figure

__all__ = ["convergence_figure", "save_figure"]
