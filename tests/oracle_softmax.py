"""The naive reference of training with all labels as negatives at once; see `oracle`."""

from __future__ import annotations

import math

import numpy as np
from oracle import blocks, image_vector, logistic, move_image, row_rates


def softmax_parts(scores, mine, positives):
    """Return each positive's loss and slope, and the probabilities of the labels that an image lacks."""
    exps = {a: math.exp(scores[a]) for a in range(len(scores)) if a not in mine}
    total = sum(exps.values())
    parts = [logistic(scores[p] - math.log(total)) for p in positives] if exps else []
    return parts, {a: e / total for a, e in exps.items()}


def train_on_all(order, lists, tables, sums, *, inputs, rate, l2, adagrad):
    """Train one epoch of one shard in place by the softmax loss; the arguments are those of `oracle.train`.

    In a block all scores are computed first. The positives move one after another, then each label once, away from
    the images that lack it; it decays as if each pair had drawn one negative with the softmax's probabilities.
    """
    taken, skipped, losses, violations, tried = 0, 0, [], [], []
    inputs = (inputs,) if isinstance(inputs, str) else inputs
    labels = tables["label_factors"]
    n_labels, n_factors = labels.shape
    fixes = adagrad and n_factors > 1
    if "ids" in inputs and fixes:
        tables["image_factors"][:, 0] = 1

    row_rate = row_rates(sums, rate, n_factors, adagrad=adagrad)

    for block in blocks(order, lists):
        turns = []  # image, its own labels, the positives, the vector, the probabilities, the slopes
        for image, part in block:
            mine = lists[image]
            if "ids" not in inputs and len(mine) < 2:
                skipped += len(part)
                continue
            # The pairs of an image share a vector, unless labels are among the inputs.
            for positives in [[p] for p in part] if "labels" in inputs else [part]:
                v = np.zeros(n_factors)
                if "ids" in inputs:
                    v += tables["image_factors"][image]
                if "labels" in inputs:
                    v += image_vector(tables["context_factors"], mine, positives[0])
                scores = [float(v @ labels[a]) for a in range(n_labels)]
                parts, chances = softmax_parts(scores, mine, positives)
                tried += [len(chances)] * len(positives)
                taken += len(parts)
                skipped += len(positives) - len(parts)
                losses += [value for value, _ in parts]
                violations += [scores[p] <= max(scores[a] for a in chances) for p in positives if chances]
                turns.append((image, positives, v, chances, [slope for _, slope in parts], np.zeros(n_factors)))
        for _, positives, v, _, slopes, pull in turns:
            for p, slope in zip(positives, slopes, strict=False):
                up = row_rate("label_factors", p, slope**2 * (v @ v))
                pull += slope * labels[p]
                labels[p] -= up * (slope * v + l2 * labels[p])
        for a in range(n_labels):
            of_label = [turn for turn in turns if a in turn[3]]
            gradient = np.zeros(n_factors)
            for _, _, v, chances, slopes, pull in of_label:
                gradient -= chances[a] * sum(slopes) * v
                pull -= chances[a] * sum(slopes) * labels[a]
            decay = sum(len(slopes) * chances[a] for _, _, _, chances, slopes, _ in of_label)
            if of_label:
                down = row_rate("label_factors", a, gradient @ gradient)
                labels[a] -= down * (gradient + l2 * decay * labels[a])
        for image, _part in block:
            of_image = [turn for turn in turns if turn[0] == image]
            if "ids" in inputs:
                pulls = [turn[5] for turn in of_image]
                up = row_rate("image_factors", image, sum(pull @ pull for pull in pulls))
                n_gradients = sum(len(turn[4]) for turn in of_image)
                row, pull = tables["image_factors"][image], sum(pulls, np.zeros(n_factors))
                move_image(row, up, pull, l2 * n_gradients, len(lists[image]), fixes=fixes)
            for y in lists[image] if "labels" in inputs else []:
                others = [turn[5] for turn in of_image if turn[1] != [y]]
                gradient = sum(others, np.zeros(n_factors)) / max(len(lists[image]) - 1, 1) ** 0.75
                up = row_rate("context_factors", y, gradient @ gradient)
                tables["context_factors"][y] -= up * (gradient + l2 * tables["context_factors"][y])
    means = {"loss": losses, "violations": violations, "trials": tried}
    return {"steps": taken, "skipped": skipped} | {name: sum(of) / max(len(of), 1) for name, of in means.items()}
