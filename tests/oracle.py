"""The naive reference of every kernel, law, loss and metric.

Plain loops in float64, written from the formulas, with no import from the package: what is right here is right
because it can be read.
"""

from __future__ import annotations

import math

import numpy as np


# Ranking metrics: one image's scores, its test labels and its excluded labels.


def label_ranks(scores, tests, excluded):
    """Return the rising ranks of the test labels among all but the excluded; ties count against each."""
    ranks = []
    for label in tests:
        rank = 1
        for other in range(len(scores)):
            if other != label and other not in excluded and float(scores[other]) >= float(scores[label]):
                rank += 1
        ranks.append(rank)
    return sorted(ranks)


def precision_at(scores, tests, excluded, k):
    return sum(1 for rank in label_ranks(scores, tests, excluded) if rank <= k) / k


def recall_at(scores, tests, excluded, k):
    return sum(1 for rank in label_ranks(scores, tests, excluded) if rank <= k) / len(tests)


def ndcg_at(scores, tests, excluded, k):
    gain = 0.0
    for rank in label_ranks(scores, tests, excluded):
        if rank <= k:
            gain += 1 / math.log2(rank + 1)
    ideal = 0.0
    for place in range(1, k + 1):
        if place <= len(tests):
            ideal += 1 / math.log2(place + 1)
    return gain / ideal


def average_precision_at(scores, tests, excluded, k):
    total = 0.0
    for hits, rank in enumerate(label_ranks(scores, tests, excluded), start=1):
        if rank <= k:
            total += hits / rank
    return total / min(k, len(tests))


def average_precision(scores, tests, excluded):
    return average_precision_at(scores, tests, excluded, len(scores))


def reciprocal_rank(scores, tests, excluded):
    return 1 / label_ranks(scores, tests, excluded)[0]


def area_under_curve(scores, tests, excluded):
    """Return the share of pairs of a test label and another candidate that are in order; NaN without any."""
    right = 0
    n_pairs = 0
    for label in tests:
        for other in range(len(scores)):
            if other not in tests and other not in excluded:
                n_pairs += 1
                right += float(scores[label]) > float(scores[other])
    return right / n_pairs if n_pairs else math.nan


def top_list(scores, excluded, k):
    """Return the k best labels but the excluded; ties in the order of the labels."""
    candidates = [label for label in range(len(scores)) if label not in excluded]
    return sorted(candidates, key=lambda label: (-float(scores[label]), label))[:k]
