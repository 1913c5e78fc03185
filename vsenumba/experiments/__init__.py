"""Experiments: comparisons of samplers on one split of one data set; one sampler seen at work on one image."""

from vsenumba.experiments.compare_samplers import Progress, compare, models_to_compare
from vsenumba.experiments.comparison import Comparison, Run
from vsenumba.experiments.delivery import Delivery, measurement
from vsenumba.experiments.law_measures import goodness_of_fit, gradient_weight, total_variation, violation_probability
from vsenumba.experiments.sampler_law import SamplerLaw, inspect_sampler

__all__ = [
    "Comparison",
    "Delivery",
    "Progress",
    "Run",
    "SamplerLaw",
    "compare",
    "goodness_of_fit",
    "gradient_weight",
    "inspect_sampler",
    "measurement",
    "models_to_compare",
    "total_variation",
    "violation_probability",
]
