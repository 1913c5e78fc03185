"""How good a model is: ranking metrics over all labels."""

from vsenumba.evaluation.metrics import FAMILIES, Metric, parse_metric
from vsenumba.evaluation.ranking import evaluate
from vsenumba.evaluation.scorer import Scorer
from vsenumba.evaluation.scores import Scores

__all__ = ["FAMILIES", "Metric", "Scorer", "Scores", "evaluate", "parse_metric"]
