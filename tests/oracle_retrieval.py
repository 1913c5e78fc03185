"""The naive reference of poolings, objectives and retrieval's metrics: as in `oracle`, plain loops in float64."""

from __future__ import annotations

import math

import numpy as np

# Poolings: one segment's rows, the parameters, and the longest segment of the batch.


def columns_falling(rows):
    """Return the rows with each column sorted, the largest first."""
    columns = [sorted((row[f] for row in rows), reverse=True) for f in range(len(rows[0]))]
    return transposed(columns)


def softmax(values):
    largest = max(values)
    powers = [math.exp(value - largest) for value in values]
    return [power / sum(powers) for power in powers]


def mean_pooling(rows, parameters, longest):
    return [sum(row[f] for row in rows) / len(rows) for f in range(len(rows[0]))]


def max_pooling(rows, parameters, longest):
    return [max(row[f] for row in rows) for f in range(len(rows[0]))]


def top_mean_pooling(rows, parameters, longest, k):
    top = columns_falling(rows)[:k]
    return mean_pooling(top, parameters, longest)


def rank_logit(rank, parameters, temperature):
    """Return the output of GPO's network for a rank."""
    width = len(parameters["code_weights"])
    code = []
    for turn in (math.sin, math.cos):
        for i in range(0, width, 2):
            code.append(turn(rank / 10_000 ** (i / width)))
    total = 0.0
    for h in range(len(parameters["code_bias"])):
        hidden = float(parameters["code_bias"][h])
        for i in range(width):
            hidden += code[i] * float(parameters["code_weights"][i][h])
        total += max(hidden, 0.0) * float(parameters["rank_weights"][h])
    return total / temperature


def gpo_pooling(rows, parameters, longest, temperature):
    ordered = columns_falling(rows)
    weights = softmax([rank_logit(rank, parameters, temperature) for rank in range(len(rows))])
    return [sum(weights[r] * ordered[r][f] for r in range(len(rows))) for f in range(len(rows[0]))]


def adpool(rows, parameters, longest, padding):
    n, d = len(rows), len(rows[0])
    ordered = columns_falling(rows)
    own, token = [], []
    for f in range(d):
        values = [ordered[r][f] for r in range(n)]
        own.append(sum(w * x for w, x in zip(softmax(values), values, strict=True)))
        bias = float(parameters["token_bias"][f])
        logits = []
        for r in range(n):
            logit = bias
            for g in range(d):
                logit += float(parameters["token_weights"][f][g]) * ordered[r][g]
            logits.append(max(logit, 0.0))
        if padding == "released":
            logits += [max(bias, 0.0)] * (longest - n)
            values = values + [0.0] * (longest - n)
        token.append(sum(w * x for w, x in zip(softmax(logits), values, strict=True)))
    score = [sum(float(parameters["mix_weights"][f]) * level[f] for f in range(d)) for level in (token, own)]
    mix = softmax(score)
    return [mix[0] * token[f] + mix[1] * own[f] for f in range(d)]


# Objectives: a batch's cosines, images in rows; margins of all pairs; which pairs show the same image.


def semantic_margins(semantics, base, weight):
    n = len(semantics)
    products = [[sum(a * b for a, b in zip(x, y, strict=True)) for y in semantics] for x in semantics]
    margins = []
    for i in range(n):
        largest = max(products[i])
        margins.append([base + weight * products[i][j] / (largest if largest != 0 else 1.0) for j in range(n)])
    return margins


def adopt_group(scores):
    n = len(scores)
    align = sum(scores[i][i] for i in range(n)) / n
    uniform = sum(math.exp(-(scores[i][j] if i != j else 0.0)) for i in range(n) for j in range(n)) / n**2
    spread = max(align + uniform, 0.0)
    return min(max(int(n * math.cos(spread**1.25)) + 1, 1), n - 1)


def chosen_negatives(scores, margins, same, query, size):
    """Return a query's negatives: of those that do not show the same image, the best by score and margin."""
    others = [j for j in range(len(scores)) if j != query and not same[query][j]]
    return sorted(others, key=lambda j: -(scores[query][j] + margins[query][j]))[:size]


def semi_hard_negatives(scores, same, query, size):
    """Return a query's negatives: below the match the best, then above it the worst."""
    others = [j for j in range(len(scores)) if j != query and not same[query][j]]
    below = [j for j in others if scores[query][j] < scores[query][query]]
    above = [j for j in others if j not in below]
    falling = sorted(below, key=lambda j: -scores[query][j])
    return (falling + sorted(above, key=lambda j: scores[query][j]))[:size]


def transposed(table):
    return [list(column) for column in zip(*table, strict=True)]


def objective_loss(kind, scores, margins, same, size, temperature=None):
    """Return the loss of both directions; `size` is how many negatives a query has."""
    n, total = len(scores), 0.0
    for s, m, twins in ((scores, margins, same), (transposed(scores), transposed(margins), transposed(same))):
        for i in range(n):
            negatives = chosen_negatives(s, m, twins, i, size)
            if kind == "hinges":
                total += sum(max(m[i][j] + s[i][j] - s[i][i], 0.0) for j in negatives)
            else:
                logits = [s[i][i] / temperature] + [(m[i][j] + s[i][j]) / temperature for j in negatives]
                total += -math.log(softmax(logits)[0]) / (2 * n)
    return total


def slopes(function, table, step=1e-6):
    """Return the derivative of a number in every entry of a table, by central differences."""
    table = np.array(table, np.float64)
    result = np.zeros_like(table)
    for place in np.ndindex(table.shape):
        values = []
        for move in (step, -step):
            moved = table.copy()
            moved[place] += move
            values.append(function(moved))
        result[place] = (values[0] - values[1]) / (2 * step)
    return result
