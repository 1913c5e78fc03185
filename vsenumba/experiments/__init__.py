"""Experiments: comparisons of samplers on one split of one data set; one sampler at work on one image; plans."""

from vsenumba.experiments.compare_samplers import Progress, compare, models_to_compare
from vsenumba.experiments.comparison import Comparison, Run
from vsenumba.experiments.delivery import Delivery, measurement
from vsenumba.experiments.law_measures import goodness_of_fit, gradient_weight, total_variation, violation_probability
from vsenumba.experiments.planning import Estimate, Plan, Size, plan
from vsenumba.experiments.sampler_law import SamplerLaw, inspect_image, inspect_sampler

__all__ = [
    "Comparison",
    "Delivery",
    "Estimate",
    "Plan",
    "Progress",
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
