"""Figures of convergence, of sampling laws and of suggestions. matplotlib is imported only when one is made."""

from vsenumba.plotting.convergence import convergence_figure
from vsenumba.plotting.law import law_figure
from vsenumba.plotting.save import save_figure
from vsenumba.plotting.sheet import contact_sheet

__all__ = ["contact_sheet", "convergence_figure", "law_figure", "save_figure"]
