"""Experiments: comparisons of samplers on one split of one data set."""

from vsenumba.experiments.compare_samplers import Progress, compare
from vsenumba.experiments.comparison import Comparison, Run

__all__ = ["Comparison", "Progress", "Run", "compare"]
