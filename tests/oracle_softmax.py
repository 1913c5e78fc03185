"""The naive reference of training with all labels, or a weighed sample of them, as negatives at once; see `oracle`."""

from __future__ import annotations

import math

import numpy as np
from oracle import blocks, image_vector, logistic, move_image, row_rates


def softmax_parts(scores, negatives, positives):
    """Return each positive's loss and slope, and the share of each negative, a pair of a label and a frequency."""
    exps = [math.exp(scores[a]) / expected for a, expected in negatives]
    total = sum(exps)
    parts = [logistic(scores[p] - math.log(total)) for p in positives] if exps else []
    return parts, [(a, e / total) for (a, _), e in zip(negatives, exps, strict=True)]


def all_lacking(mine, n_labels):
    """Return the labels that an image lacks, each counted once, and how many were looked at."""
    lacking = [(a, 1) for a in range(n_labels) if a not in mine]
    return lacking, len(lacking)


class Drawn:
    """Draws that go through all labels again and again, n for each vector, and the law that they are taken to have."""

    def __init__(self, law, n):
        self.law, self.n, self.position = law, n, 0

    def __call__(self, mine, n_labels):
        """Return each drawn label with how often it is expected among all draws, and how many were looked at."""
        others = 1 - sum(self.law[y] for y in mine)
        lacking = [a for a in range(n_labels) if a not in mine]
        tried, drawn = 0, []
        while lacking and len(drawn) < self.n:
            label = self.position % n_labels
            self.position, tried = self.position + 1, tried + 1
            if label in lacking:
                drawn.append((label, self.n * self.law[label] / others))
        return drawn, tried


def train_by_softmax(order, lists, tables, sums, *, inputs, rate, l2, adagrad, negatives=all_lacking):
    """Train one epoch of one shard in place by the softmax loss; the arguments are those of `oracle.train`.

    In a block all scores are computed first. The positives move one after another. Of all labels each then moves once,
    away from the images that lack it; of a sample each draw moves its label, slot by slot. A negative decays as if each
    pair had drawn one with the softmax's probabilities.
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
                of_image, n_tried = negatives(mine, n_labels)
                parts, shares = softmax_parts(scores, of_image, positives)
                tried += [n_tried] * len(positives)
                taken += len(parts)
                skipped += len(positives) - len(parts)
                losses += [value for value, _ in parts]
                violations += [scores[p] <= max(scores[a] for a, _ in shares) for p in positives if shares]
                turns.append((image, positives, v, shares, [slope for _, slope in parts], np.zeros(n_factors)))
        for _, positives, v, _, slopes, pull in turns:
            for p, slope in zip(positives, slopes, strict=False):
                up = row_rate("label_factors", p, slope**2 * (v @ v))
                pull += slope * labels[p]
                labels[p] -= up * (slope * v + l2 * labels[p])
        weighed = [(a, share, turn) for turn in turns for a, share in turn[3]]
        moves = [[one] for one in weighed]
        if negatives is all_lacking:
            moves = [[one for one in weighed if one[0] == a] for a in range(n_labels)]
        for move in filter(None, moves):
            label, gradient, decay = move[0][0], np.zeros(n_factors), 0.0
            for _, share, (_, _, v, _, slopes, pull) in move:
                gradient -= share * sum(slopes) * v
                pull -= share * sum(slopes) * labels[label]
                decay += len(slopes) * share
            down = row_rate("label_factors", label, gradient @ gradient)
            labels[label] -= down * (gradient + l2 * decay * labels[label])
        for image, _part in block:
            of_image = [turn for turn in turns if turn[0] == image]
            if "ids" in inputs:
                pulls = [turn[5] for turn in of_image]
                up = row_rate("image_factors", image, sum(pull @ pull for pull in pulls))
                n_gradients = sum(len(turn[4]) for turn in of_image)
                row, pull = tables["image_factors"][image], sum(pulls, np.zeros(n_factors))
                move_image(row, up, pull, l2 * n_gradients, len(lists[image]), fixes=fixes)
            for y in lists[image] if "labels" in inputs and len(lists[image]) > 1 else []:
                others = [turn[5] for turn in of_image if turn[1] != [y]]
                gradient = sum(others, np.zeros(n_factors)) / max(len(lists[image]) - 1, 1) ** 0.75
                up = row_rate("context_factors", y, gradient @ gradient)
                tables["context_factors"][y] -= up * (gradient + l2 * tables["context_factors"][y])
    means = {"loss": losses, "violations": violations, "trials": tried}
    return {"steps": taken, "skipped": skipped} | {name: sum(of) / max(len(of), 1) for name, of in means.items()}
