"""The naive reference of training by groups of lanes, one at a time: pair by pair, visit by visit; see `oracle`."""

from __future__ import annotations

import math

import numpy as np
from oracle import image_vector, move_image, row_rates, sigmoid
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
            for y in mine if own_vectors and len(mine) > 1 else []:
                others = sum((one for positives, one in pulls if positives != [y]), np.zeros(n_factors))
                gradient = others / max(len(mine) - 1, 1) ** 0.75
                up = row_rate("context_factors", y, gradient @ gradient)
                context[y] -= up * (gradient + l2 * context[y])
    means = {"loss": counts["losses"], "violations": counts["violations"], "trials": counts["tried"]}
    record = {name: math.fsum(of) / max(len(of), 1) for name, of in means.items()}
    return {"steps": len(counts["losses"]), "skipped": counts["skipped"]} | record


def train_windows_by_groups(
    sentences, reaches, tables, sums, *, architecture, rate, n_negatives, n_draws, adagrad, draws_per, n_groups
):  # fmt: skip
    """Train on every window, block by block, the groups one after another; see `oracle.train_windows`.

    A drawn word's row is that of the table and what windows have moved it by since; only then does the table move.
    """
    inputs, outputs = tables["word_factors"], tables["output_factors"]
    row_rate = row_rates(sums, rate, inputs.shape[1], adagrad=adagrad)
    steps, skipped, loss, tried, lengths = 0, 0, 0.0, [], []
    blocks = [(i, start) for i, sentence in enumerate(sentences) for start in range(0, len(sentence), 8)]
    for i, start in [block for group in range(n_groups) for block in blocks[group::n_groups]]:
        sentence, moved = sentences[i], []
        for at in range(start, min(start + 8, len(sentence))):
            reach = reaches[i][at]
            others = [sentence[j] for j in range(max(0, at - reach), min(len(sentence), at + reach + 1)) if j != at]
            of, positives = ([sentence[at]], others) if architecture == "skipgram" else (others, [sentence[at]])
            for pairs in ([[word] for word in positives] if draws_per == "pair" else [positives]) if others else []:
                if draws_per != "block" or at == start:
                    for word, by in moved:
                        outputs[word] += by
                    free = [word for word in range(len(outputs)) if draws_per == "block" or word not in pairs]
                    moved = [(free[0], np.zeros(inputs.shape[1])) for _ in range(n_draws)] if free else []
                    tried += [free[0] + 1 if free else len(outputs)] * n_draws
                    skipped += 0 if free else n_draws
                weight = n_negatives * len(pairs) / n_draws
                v, gradient = np.mean([inputs[word] for word in of], axis=0), np.zeros(inputs.shape[1])
                for word, by in [one for one in moved if one[0] not in pairs]:
                    row = outputs[word] + by
                    share = sigmoid(float(v @ row))
                    loss -= weight * math.log(1 - share)
                    lengths.append(share * math.sqrt(v @ v))
                    step = row_rate("output_factors", word, (weight * share) ** 2 * (v @ v))
                    gradient += weight * share * row
                    by -= step * weight * share * v
                for word in pairs:
                    share = sigmoid(-float(v @ outputs[word]))
                    loss -= math.log(1 - share)
                    step = row_rate("output_factors", word, share**2 * (v @ v))
                    gradient -= share * outputs[word]
                    outputs[word] += step * share * v
                steps += len(pairs)
                gradient /= len(of)
                for word in of:
                    inputs[word] -= row_rate("word_factors", word, gradient @ gradient) * gradient
        for word, by in moved:
            outputs[word] += by
    means = {"trials": tried, "negative_gradient": lengths}
    record = {name: sum(one) / max(len(one), 1) for name, one in means.items()}
    return {"steps": steps, "skipped": skipped, "loss": loss / max(steps, 1)} | record
