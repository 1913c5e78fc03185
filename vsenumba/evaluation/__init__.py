"""Evaluation: ranking metrics over all labels, word similarities, analogies, and retrieval."""

from vsenumba.evaluation.analogies import AnalogyScores, evaluate_analogies, has_questions, read_questions
from vsenumba.evaluation.group_scores import GroupScores
from vsenumba.evaluation.metrics import FAMILIES, Metric, parse_metric
from vsenumba.evaluation.ranking import evaluate
from vsenumba.evaluation.retrieval import RetrievalScores, evaluate_vectors
from vsenumba.evaluation.scorer import Scorer
from vsenumba.evaluation.scores import Scores
from vsenumba.evaluation.similarity import SimilarityScores, evaluate_similarity, read_pairs

__all__ = [
    "FAMILIES",
    "AnalogyScores",
    "GroupScores",
    "Metric",
    "RetrievalScores",
    "Scorer",
    "Scores",
    "SimilarityScores",
    "evaluate",
    "evaluate_analogies",
    "evaluate_similarity",
    "evaluate_vectors",
    "has_questions",
    "parse_metric",
    "read_pairs",
    "read_questions",
]
