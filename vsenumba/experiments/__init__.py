"""Experiments: compare samplers on one data set, inspect one sampler, and estimate the cost of training."""

from vsenumba.experiments.compare_samplers import Progress, compare, models_to_compare
from vsenumba.experiments.comparison import Comparison, Run
from vsenumba.experiments.delivery import Delivery, RecordedCommand, measurement
from vsenumba.experiments.law_measures import goodness_of_fit, gradient_weight, total_variation, violation_probability
from vsenumba.experiments.planning import Estimate, Plan, Size, plan
from vsenumba.experiments.sampler_law import SamplerLaw, inspect_image, inspect_sampler

__all__ = [
    "Comparison",
    "Delivery",
    "Estimate",
    "Plan",
    "Progress",
    "RecordedCommand",
    "Run",
    "SamplerLaw",
    "Size",
    "compare",
    "goodness_of_fit",
    "gradient_weight",
    "inspect_image",
    "inspect_sampler",
    "measurement",
    "models_to_compare",
    "plan",
    "total_variation",
    "violation_probability",
]
