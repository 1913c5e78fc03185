"""The naive reference of training by groups of lanes, one at a time: pair by pair, visit by visit; see `oracle`."""

from __future__ import annotations

import math

import numpy as np
from oracle import image_vector, move_image, row_rates
from oracle_softmax import all_lacking, softmax_parts


class ByPairs:
    """The steps of a slot: each pair with the first label that its image lacks, so many times in turn."""

    def __init__(self, loss, n_negatives=1):
        self.loss, self.n_negatives = loss, n_negatives

    def steps_of(self, n_pairs):
        return n_pairs * self.n_negatives

    def __call__(self, v, pull, mine, positives, labels, row_rate, l2, counts):
        missing = [a for a in range(len(labels)) if a not in mine]
        square, n_gradients = 0.0, 0
        for p in positives:
            for _ in range(self.n_negatives):
                counts["tried"].append(missing[0] + 1 if missing else len(labels))
                if not missing:
                    counts["skipped"] += 1
                    continue
                n = missing[0]
                gap = labels[p] - labels[n]
                value, slope = self.loss(float(v @ gap))
                counts["losses"].append(value)
                counts["violations"].append(v @ gap <= 0)
                up, down = (row_rate("label_factors", row, slope**2 * (v @ v)) for row in (p, n))
                pull += slope * gap
                square += slope**2 * (gap @ gap)
                n_gradients += 1
                labels[p] -= up * (slope * v + l2 * labels[p])
                labels[n] -= down * (-slope * v + l2 * labels[n])
        return square, n_gradients


class BySoftmax:
    """The steps of a slot where several negatives are weighed at once; `negatives` is that of `train_by_softmax`."""

    def __init__(self, negatives=all_lacking):
        self.negatives = negatives

    def steps_of(self, n_pairs):
        return n_pairs

    def __call__(self, v, pull, mine, positives, labels, row_rate, l2, counts):
        scores = [float(v @ row) for row in labels]
        drawn, tried = self.negatives(mine, len(labels))
        counts["tried"] += [tried] * len(positives)
        parts, shares = softmax_parts(scores, drawn, positives)
        counts["skipped"] += len(positives) - len(parts)
        for p, (value, slope) in zip(positives, parts, strict=False):
            counts["losses"].append(value)
            counts["violations"].append(scores[p] <= max(scores[a] for a, _ in shares))
            up = row_rate("label_factors", p, slope**2 * (v @ v))
            pull += slope * labels[p]
            labels[p] -= up * (slope * v + l2 * labels[p])
        total = -sum(slope for _, slope in parts)
        for a, share in shares:
            down = row_rate("label_factors", a, (total * share) ** 2 * (v @ v))
            pull += total * share * labels[a]
            labels[a] -= down * (total * share * v + l2 * share * len(parts) * labels[a])
        return pull @ pull, len(parts)


def train_by_groups(order, lists, tables, sums, steps, *, inputs, rate, l2, adagrad):
    """Train one epoch in place; return what its record says. The other arguments are those of `oracle.train`."""
    counts = {"skipped": 0, "losses": [], "violations": [], "tried": []}
    inputs = (inputs,) if isinstance(inputs, str) else inputs
    labels, context = tables["label_factors"], tables.get("context_factors")
    n_factors = labels.shape[1]
    fixes = adagrad and n_factors > 1
    if "ids" in inputs and fixes:
        tables["image_factors"][:, 0] = 1
    row_rate = row_rates(sums, rate, n_factors, adagrad=adagrad)
    for image in order:
        mine = lists[image]
        for first in range(0, len(mine), 32):
            part = mine[first : first + 32]
            if "ids" not in inputs and len(mine) < 2:
                counts["skipped"] += steps.steps_of(len(part))
                continue
            pulls, square, n_gradients = [], 0.0, 0
            own_vectors = "labels" in inputs
            before = tables["image_factors"][image].copy() if "ids" in inputs else np.zeros(n_factors)
            for positives in [[p] for p in part] if own_vectors else [part]:
                v = before + (image_vector(context, mine, positives[0]) if own_vectors else 0)
                pull = np.zeros(n_factors)
                of_slot, n = steps(v, pull, mine, positives, labels, row_rate, l2, counts)
                pulls.append((positives, pull))
                square, n_gradients = square + of_slot, n_gradients + n
            pull = sum((one for _, one in pulls), np.zeros(n_factors))
            if "ids" in inputs:
                up = row_rate("image_factors", image, square)
                move_image(tables["image_factors"][image], up, pull, l2 * n_gradients, len(mine), fixes=fixes)
            for y in mine if own_vectors else []:
                others = sum((one for positives, one in pulls if positives != [y]), np.zeros(n_factors))
                gradient = others / max(len(mine) - 1, 1) ** 0.75
                up = row_rate("context_factors", y, gradient @ gradient)
                context[y] -= up * (gradient + l2 * context[y])
    means = {"loss": counts["losses"], "violations": counts["violations"], "trials": counts["tried"]}
    record = {name: math.fsum(of) / max(len(of), 1) for name, of in means.items()}
    return {"steps": len(counts["losses"]), "skipped": counts["skipped"]} | record
