"""Plots of sets, models, scores and comparisons on matplotlib's axes.

Every function except `contact_sheet` draws on the axes given as ``ax``, or else on pyplot's current axes, and returns
the axes. None of them shows or closes a figure: a notebook shows it after the cell, a script calls ``pyplot.show``.
"""

from vsenumba.plot.convergence import convergence
from vsenumba.plot.groups import groups
from vsenumba.plot.law import law
from vsenumba.plot.popularity import popularity
from vsenumba.plotting.sheet import contact_sheet

__all__ = ["contact_sheet", "convergence", "groups", "law", "popularity"]
