"""Metrics of test pairs, grouped by label or by the number of training images of their label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError
from vsenumba.evaluation.group_scores import GroupScores
from vsenumba.evaluation.metrics import Metric
from vsenumba.evaluation.ranks import Floats, Integers, Ranks
from vsenumba.evaluation.scores import defined_mean

BY = ("label", "popularity")


def group_scores(
    ranks: Ranks, metrics: Sequence[Metric], by: str, label_names: Vocabulary, label_counts: Integers
) -> GroupScores:
    """Return the metrics of pairs, grouped by label or by popularity.

    Parameters
    ----------
    ranks : Ranks
        The ranks, with their labels.
    metrics : sequence of Metric
        The metrics. Those that are not defined for pairs are left out.
    by : {"label", "popularity"}
        How to group the pairs.
    label_names : Vocabulary
        The model's labels.
    label_counts : (n_labels,) int64 array
        Number of training images that have each label.
    """
    pairs = ranks.of_pairs()
    columns, label = np.unique(ranks.labels, return_inverse=True)
    if by == "label":
        names, group = list(map(str, label_names.take(columns))), np.arange(len(columns))
    else:
        bounds = bucket_bounds(int(label_counts.max()))
        buckets, group = np.unique(np.searchsorted(bounds, label_counts[columns]), return_inverse=True)
        names = [_range_name(bounds, bucket) for bucket in buckets]
    micro, macro, micro_mean, macro_mean = {}, {}, {}, {}
    for metric in metrics:
        if not metric.is_of_pairs:
            continue
        values = metric.per_image(pairs)
        by_label = _means(values, label, len(columns))
        micro[metric.name] = _means(values, group[label], len(names))
        macro[metric.name] = _means(by_label, group, len(names))
        micro_mean[metric.name], macro_mean[metric.name] = defined_mean(values), defined_mean(by_label)
    n_test_pairs = np.bincount(label, minlength=len(columns))
    return GroupScores(
        by=by,
        names=names,
        n_labels=np.bincount(group),
        n_train_pairs=_sums(label_counts[columns], group, len(names)),
        n_test_pairs=_sums(n_test_pairs, group, len(names)),
        micro=micro,
        macro=macro,
        micro_mean=micro_mean,
        macro_mean=macro_mean,
    )


def check_grouped(metrics: Sequence[Metric], by: str) -> None:
    """Raise an error if none of the metrics is defined for a pair of an image and a label."""
    if not any(metric.is_of_pairs for metric in metrics):
        names = ", ".join(metric.name for metric in metrics)
        raise InputError(f"by={by!r} needs a metric of single labels, such as mrr, auc or recall@5; found only {names}")


def bucket_bounds(most: int) -> Integers:
    """Return the largest count of every bucket: 0, then 3 and 10 times powers of ten until `most` is reached.

    Examples
    --------
    >>> bucket_bounds(150)
    array([  0,   3,  10,  30, 100, 300])
    """
    bounds = [0, 3]
    while bounds[-1] < most:
        bounds.append(10 * bounds[-2] if bounds[-2] else 10)
    return np.array(bounds, np.int64)


def _range_name(bounds: Integers, bucket: int) -> str:
    return "0" if bucket == 0 else f"{bounds[bucket - 1] + 1}–{bounds[bucket]}"


def _means(values: Floats, group: Integers, n_groups: int) -> Floats:
    """Return the mean of each group's values without NaN; NaN for a group without values."""
    defined = ~np.isnan(values)
    counts = np.bincount(group[defined], minlength=n_groups)
    sums = np.bincount(group[defined], values[defined], minlength=n_groups)
    means: Floats = np.divide(sums, counts, out=np.full(n_groups, np.nan), where=counts > 0)
    return means


def _sums(values: Integers, group: Integers, n_groups: int) -> Integers:
    sums = np.zeros(n_groups, np.int64)
    np.add.at(sums, group, values)
    return sums
