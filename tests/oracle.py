"""The naive reference of every kernel, law, loss and metric.

Plain loops in float64, written from the formulas, with no import from the package: what is right here is right
because it can be read.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

# Ranking metrics: one image's scores, its test labels and its excluded labels.


def label_ranks(scores, tests, excluded):
    """Return the rising ranks of the test labels among all but the excluded.

    A label that is no test label stands before the test labels that score the same.
    """
    ranks = []
    for number, label in enumerate(tests):
        rank = 1
        for other in range(len(scores)):
            if other not in tests and other not in excluded and float(scores[other]) >= float(scores[label]):
                rank += 1
        for earlier, other in enumerate(tests):
            higher = float(scores[other]) > float(scores[label])
            if higher or (float(scores[other]) == float(scores[label]) and earlier < number):
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


def cut_average_precision_at(scores, tests, excluded, k):
    total = 0.0
    for hits, rank in enumerate(label_ranks(scores, tests, excluded), start=1):
        if rank <= k:
            total += hits / rank
    return total / len(tests)


def average_precision_at(scores, tests, excluded, k):
    return cut_average_precision_at(scores, tests, excluded, k) * len(tests) / min(k, len(tests))


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


def top_labels(scores, excluded, k):
    """Return the labels but the excluded that at most k of them, the label itself included, score as high as."""
    candidates = [label for label in range(len(scores)) if label not in excluded]
    return {a for a in candidates if sum(1 for b in candidates if float(scores[b]) >= float(scores[a])) <= k}


def pair_rank(scores, label, tests, excluded):
    """Return 1 and how many labels that are neither tests nor excluded score at least as high as a test label."""
    rank = 1
    for other in range(len(scores)):
        if other not in tests and other not in excluded and float(scores[other]) >= float(scores[label]):
            rank += 1
    return rank


def pair_area_under_curve(scores, label, tests, excluded):
    """Return the share of the labels that are neither tests nor excluded which score lower; NaN without any."""
    others = [a for a in range(len(scores)) if a not in tests and a not in excluded]
    lower = sum(1 for a in others if float(scores[a]) < float(scores[label]))
    return lower / len(others) if others else math.nan


def inverse_propensity(count, n_images, a, b):
    c = (math.log(n_images) - 1) * (b + 1) ** a
    propensity = 1 / (1 + c * math.exp(-a * math.log(count + b)))
    return 1 / propensity


def weighed_list(scores, tests, excluded, weights):
    """Return what the labels but the excluded weigh, best first: 0 for one that is no test label.

    Of labels that score the same, those that are no test labels come first, then those that weigh less.
    """
    candidates = [label for label in range(len(scores)) if label not in excluded]
    own = {label: weights[label] if label in tests else 0.0 for label in candidates}
    return [own[label] for label in sorted(candidates, key=lambda label: (-float(scores[label]), own[label]))]


def propensity_precision_at(images, weights, k):
    """Return ``Σ PSP@k`` of (scores, tests, excluded) of all images over the same of the best lists."""
    reached = best = 0.0
    for scores, tests, excluded in images:
        reached += sum(weighed_list(scores, tests, excluded, weights)[:k]) / k
        best += sum(sorted((weights[label] for label in tests), reverse=True)[:k]) / k
    return reached / best


def propensity_ndcg_at(images, weights, k):
    """Return ``Σ PSnDCG@k`` over the same of the best lists."""
    reached = best = 0.0
    for scores, tests, excluded in images:
        discounts = [1 / math.log2(place + 1) for place in range(1, k + 1)]
        ideal = sum(discounts[: min(k, len(tests))])
        found = weighed_list(scores, tests, excluded, weights)
        wished = sorted((weights[label] for label in tests), reverse=True)
        reached += sum(w * d for w, d in zip(found, discounts, strict=False)) / ideal
        best += sum(w * d for w, d in zip(wished, discounts, strict=False)) / ideal
    return reached / best


def popularity_range(count):
    """Return the least and the largest count of the bucket that a training count is in."""
    if count == 0:
        return 0, 0
    least, power = 1, 1
    while True:
        for most in (3 * power, 10 * power):
            if count <= most:
                return least, most
            least = most + 1
        power *= 10


# Kernels


def xorshift(state):
    """Return the next state of Marsaglia's 64-bit xorshift (13, 7, 17)."""
    mask = 2**64 - 1
    state ^= (state << 13) & mask
    state ^= state >> 7
    state ^= (state << 17) & mask
    return state


def philox(counter, key):
    """Return Philox 4×32 with ten rounds of four words and a key of two, each below 2^32."""
    (a, b, c, d), (low, high) = counter, key
    for _ in range(10):
        first, second = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (second >> 32) ^ b ^ low, second % 2**32, (first >> 32) ^ d ^ high, first % 2**32
        low, high = (low + 0x9E3779B9) % 2**32, (high + 0xBB67AE85) % 2**32
    return a, b, c, d


def state_for(counter, draw, key):
    """Return where the generator of some draws begins: half of Philox, made odd."""
    a, b, _, _ = philox((counter % 2**32, counter >> 32, draw, 0), key)
    return a << 32 | b | 1


def rising_order(column):
    """Return the positions of a column's values in rising order, equals in the order of their positions."""
    return sorted(range(len(column)), key=lambda a: (float(column[a]), a))


def spread(column):
    """Return the standard deviation, dividing by the number of values."""
    mean = sum(float(x) for x in column) / len(column)
    return math.sqrt(sum((float(x) - mean) ** 2 for x in column) / len(column))


# Laws of the samplers: probabilities by enumeration, for one image


def normalised(weights, own):
    """Return weights as probabilities with the image's own labels left out; zeros if nothing is left."""
    kept = [0.0 if a in own else float(w) for a, w in enumerate(weights)]
    total = sum(kept)
    return [w / total if total > 0 else 0.0 for w in kept]


def rejections_skip(law_of_all, own, max_rejections):
    """Return the chance of own labels only in so many draws from the law of an image that has no labels."""
    return sum(law_of_all[a] for a in own) ** max_rejections


def uniform_law(n_labels, own):
    return normalised([1.0] * n_labels, own)


def popularity_law(counts, power, own):
    masses = [float(c) ** power if c > 0 else 0.0 for c in counts]
    return normalised(masses if any(masses) else [1.0] * len(counts), own)


def geometric_law(lam, n_labels):
    masses = [math.exp(-r / (lam * n_labels)) for r in range(n_labels)]
    return [m / sum(masses) for m in masses]


def staircase_law(lam, n_labels):
    """Return the law of ranks with steps of floor(lam L) ranks, at least 1 and at most L."""
    step = min(max(1, math.floor(lam * n_labels)), n_labels)
    masses = [math.exp(-(r // step)) for r in range(n_labels)]
    return [m / sum(masses) for m in masses]


def authors_law(lam, n_labels):
    """Return the law of ranks of the released Java, whose alias table holds the ranks 1 to L - 2."""
    step = math.floor(lam * (n_labels - 1))
    masses = [math.exp(-((r + 1) // step)) if 1 <= r <= n_labels - 2 else 0.0 for r in range(n_labels)]
    return [m / sum(masses) for m in masses]


RANK_LAWS = {"geometric": geometric_law, "staircase": staircase_law}


def exact_rank_law(scores, lam, own):
    by_rank = geometric_law(lam, len(scores))
    ranked = sorted(range(len(scores)), key=lambda a: (-float(scores[a]), a))
    weights = [0.0] * len(scores)
    for rank, label in enumerate(ranked):
        weights[label] = by_rank[rank]
    return normalised(weights, own)


def adaptive_importance(image, labels, power):
    """Return ``|v_f| (σ_f / max σ) ** power``, weights and products rounded to float32 as in the draw."""
    spreads = [spread([row[f] for row in labels]) for f in range(len(image))]
    if max(spreads) == 0:
        return [0.0] * len(image)
    weights = [np.float32((sigma / max(spreads)) ** power) for sigma in spreads]
    return [float(np.float32(abs(v)) * w) for v, w in zip(image, weights, strict=True)]


def adaptive_law(image, labels, lam, own, power=1, kind="geometric"):
    """Return ``Σ_f p(f | i) p(a | i, f)``; every label alike where no factor says anything."""
    n_labels, n_factors = len(labels), len(image)
    importance = adaptive_importance(image, labels, power)
    if sum(importance) == 0:
        return uniform_law(n_labels, own)
    by_rank = RANK_LAWS[kind](lam, n_labels)
    weights = [0.0] * n_labels
    for f in range(n_factors):
        order = rising_order([row[f] for row in labels])
        if image[f] > 0:
            order = order[::-1]
        for rank, label in enumerate(order):
            weights[label] += importance[f] / sum(importance) * by_rank[rank]
    return normalised(weights, own)


def warp_violators(scores, own, margin, positive):
    return [a for a in range(len(scores)) if a not in own and float(scores[a]) + margin > float(scores[positive])]


def best_of_law(law, scores, n_candidates, skip):
    """Return the law of the best-scoring candidate and the chance that all are missing, over all that can be drawn."""
    outcomes = [(a, (1 - skip) * p) for a, p in enumerate(law) if p > 0] + [(None, skip)]
    weights, nothing = [0.0] * len(law), 0.0
    for drawn in itertools.product(outcomes, repeat=n_candidates):
        chance = math.prod(p for _, p in drawn)
        labels = [a for a, _ in drawn if a is not None]
        if labels:
            # The first of the best: max() keeps it.
            weights[max(labels, key=lambda a: float(scores[a]))] += chance
        else:
            nothing += chance
    return normalised(weights, []), nothing


def warp_law(scores, own, margin, max_trials):
    """Return the law of a bounded search for a violator, the mean over the image's own labels."""
    n_labels = len(scores)
    if not own:
        return uniform_law(n_labels, own)
    weights = [0.0] * n_labels
    for positive in own:
        violators = warp_violators(scores, own, margin, positive)
        for a in violators:
            weights[a] += (1 - (1 - len(violators) / n_labels) ** max_trials) / len(violators)
    return normalised(weights, own)


def warp_skip(scores, own, margin, max_trials):
    """Return the mean over the image's own labels of the chance that a search finds nothing."""
    missed = [(1 - len(warp_violators(scores, own, margin, positive)) / len(scores)) ** max_trials for positive in own]
    return sum(missed) / len(own) if own else 0.0


def warp_in_order_law(scores, own, margin, max_trials):
    """Return the law of trying the labels in their order: without a positive the first one always does."""
    weights = [0.0] * len(scores)
    if not own:
        weights[0] = 1.0
    for positive in own:
        for a in [a for a in warp_violators(scores, own, margin, positive) if a < max_trials][:1]:
            weights[a] += 1
    return normalised(weights, own)


def warp_in_order_skip(scores, own, margin, max_trials):
    missed = [not [a for a in warp_violators(scores, own, margin, positive) if a < max_trials] for positive in own]
    return sum(missed) / len(own) if own else 0.0


def warp_trials_law(n_violators, n_labels, max_trials):
    """Return the chances of 1, 2, ... trials, given that a violator is found."""
    share = n_violators / n_labels
    return normalised([share * (1 - share) ** t for t in range(max_trials)], [])


def warp_rank_estimate(n_violators, n_labels, max_trials):
    """Return the mean of ``floor((L - 1) / T)`` over searches that find a violator, and its standard deviation."""
    law = warp_trials_law(n_violators, n_labels, max_trials)
    estimates = [(n_labels - 1) // t for t in range(1, max_trials + 1)]
    mean = sum(p * e for p, e in zip(law, estimates, strict=True))
    return mean, math.sqrt(sum(p * (e - mean) ** 2 for p, e in zip(law, estimates, strict=True)))


def dynamic_law(scores, own, n_candidates, max_rejections):
    """Return the law of the best of some uniform draws, candidate by candidate: their number is binomial."""
    n_labels = len(scores)
    others = [a for a in range(n_labels) if a not in own]
    weights = [0.0] * n_labels
    given_up = (len(own) / n_labels) ** max_rejections
    for c in range(1, n_candidates + 1):
        chance = math.comb(n_candidates, c) * (1 - given_up) ** c * given_up ** (n_candidates - c)
        for a in others:
            below = sum(1 for b in others if scores[b] < scores[a])
            equal = sum(1 for b in others if scores[b] == scores[a])
            up_to = ((below + equal) / len(others)) ** c
            weights[a] += chance * (up_to - (below / len(others)) ** c) / equal
    return normalised(weights, own)


def dynamic_skip(n_labels, own, n_candidates, max_rejections):
    """Return the chance that every candidate is given up."""
    return ((len(own) / n_labels) ** max_rejections) ** n_candidates


# Losses


def logistic(difference):
    """Return ln(1 + exp(-d)) and its slope."""
    if difference > 0:
        return math.log1p(math.exp(-difference)), -math.exp(-difference) / (1 + math.exp(-difference))
    return math.log1p(math.exp(difference)) - difference, -1 / (1 + math.exp(difference))


def hinge(difference, margin=1.0):
    return (margin - difference, -1.0) if difference < margin else (0.0, 0.0)


def warp(difference, trials, n_labels, margin=1.0):
    rank = max((n_labels - 1) // trials, 1)
    weight = sum(1 / j for j in range(1, rank + 1)) / sum(1 / j for j in range(1, max(n_labels, 2)))
    value, slope = hinge(difference, margin)
    return weight * value, weight * slope


# Training


def image_vector(context, mine, without, power=0.75):
    """Return the scaled sum of the context vectors of an image's labels but one."""
    others = [y for y in mine if y != without]
    return sum((context[y] for y in others), np.zeros(context.shape[1])) / max(len(others), 1) ** power


def blocks(order, lists, size=32):
    """Return a shard's blocks, each a list of visits ``(image, its labels that are trained)``.

    A block has whole images while they fit into `size` pairs; an image with more pairs is cut into parts, and images
    that fit follow its last part.
    """
    done = [[]]
    room = size
    for image in order:
        mine = lists[image]
        if len(mine) > room and room < size:
            done.append([])
            room = size
        for first in range(0, len(mine), size):
            if room == 0 or first > 0:
                done.append([])
                room = size
            part = mine[first : first + size]
            done[-1].append((image, part))
            room -= len(part)
    return [block for block in done if block]


def row_rates(sums, rate, n_factors, *, adagrad):
    """Return what notes a row's squared gradient, and returns the rate at which the row moves."""

    def row_rate(name, row, square):
        if not adagrad:
            return rate
        sums[name][row] += square / n_factors
        return rate / math.sqrt(sums[name][row])

    return row_rate


def move_image(row, rate, gradient, decay, n_labels, *, fixes):
    """Move an image's row of its own in place; where its first number is fixed, images of few labels decay more."""
    moved = slice(1, None) if fixes else slice(None)
    decay *= math.sqrt(6 / n_labels) if fixes else 1
    row[moved] -= rate * (gradient + decay * row)[moved]


def train(order, lists, tables, sums, loss, *, inputs, rate, l2, adagrad, n_negatives=1):
    """Train one epoch of one shard in place, each image having all labels but one, which is then its only negative.

    `tables` and `sums` are dicts of float64 arrays; `loss` returns value and slope at a difference; `inputs` is a name
    or several, whose vectors are added up. Return what the epoch's record says, where a draw tries the labels in order.
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
        steps = []  # of the block: image, positive, negative, vector
        for image, part in block:
            mine = lists[image]
            missing = [a for a in range(n_labels) if a not in mine]
            if "ids" in inputs or len(mine) > 1:
                tried += [missing[0] + 1 if missing else n_labels] * len(part) * n_negatives
            if not missing or not ("ids" in inputs or len(mine) > 1):
                skipped += len(part) * n_negatives
            else:
                taken += len(part) * n_negatives
                for p in part:
                    v = np.zeros(n_factors)
                    if "ids" in inputs:
                        v += tables["image_factors"][image]
                    if "labels" in inputs:
                        v += image_vector(tables["context_factors"], mine, p)
                    steps.append((image, p, missing[0], v))
        pulls = [[] for _ in steps]
        squares = [0.0 for _ in steps]
        for _ in range(n_negatives):
            differences = [float(v @ (labels[p] - labels[n])) for _, p, n, v in steps]
            losses += [loss(difference)[0] for difference in differences]
            violations += [difference <= 0 for difference in differences]
            slopes = [loss(difference)[1] for difference in differences]
            squares = [
                square + slope**2 * ((labels[p] - labels[n]) @ (labels[p] - labels[n]))
                for square, slope, (_, p, n, _) in zip(squares, slopes, steps, strict=True)
            ]
            rates = [
                [row_rate("label_factors", row, slope**2 * (v @ v)) for row in (p, n)]
                for slope, (_, p, n, v) in zip(slopes, steps, strict=True)
            ]
            for slope, (up, down), pull, (_, p, n, v) in zip(slopes, rates, pulls, steps, strict=True):
                pull.append(slope * (labels[p] - labels[n]))
                labels[p] -= up * (slope * v + l2 * labels[p])
                labels[n] -= down * (-slope * v + l2 * labels[n])
        for image, _part in block:
            mine = lists[image]
            of_image = [s for s in range(len(steps)) if steps[s][0] == image]
            if "ids" in inputs:
                table, gradients = tables["image_factors"], [g for s in of_image for g in pulls[s]]
                up = row_rate("image_factors", image, sum(squares[s] for s in of_image))
                gradient = sum(gradients, np.zeros(n_factors))
                move_image(table[image], up, gradient, l2 * len(gradients), len(mine), fixes=fixes)
            table = tables.get("context_factors")
            for y in mine if "labels" in inputs and len(mine) > 1 else []:
                gradients = [g for s in of_image if steps[s][1] != y for g in pulls[s]]
                gradient = sum(gradients, np.zeros(n_factors)) / max(len(mine) - 1, 1) ** 0.75
                up = row_rate("context_factors", y, gradient @ gradient)
                table[y] -= up * (gradient + l2 * table[y])
    means = {"loss": losses, "violations": violations, "trials": tried}
    return {"steps": taken, "skipped": skipped} | {name: sum(of) / max(len(of), 1) for name, of in means.items()}


# Word vectors.


def sigmoid(score):
    return 1 / (1 + math.exp(-score)) if score > -700 else 0.0


def window_objective(inputs, outputs, positives, weighted_negatives, of):
    """Return the loss of one window, its vector being the mean of the rows `of` of the inputs."""
    v = np.mean([inputs[word] for word in of], axis=0)
    total = 0.0
    for word in positives:
        total -= math.log(sigmoid(float(v @ outputs[word])))
    for word, weight in weighted_negatives:
        total -= weight * math.log(sigmoid(-float(v @ outputs[word])))
    return total


def windows(sentence, reaches):
    """Yield every window of a sentence that has two words or more: the centre and the others."""
    for at, reach in enumerate(reaches):
        others = [i for i in range(max(0, at - reach), min(len(sentence), at + reach + 1)) if i != at]
        if others:
            yield sentence[at], [sentence[i] for i in others]


def train_windows(
    sentences, reaches, tables, sums, *, architecture, rate, n_negatives, n_draws, adagrad, draws_per="window"
):  # fmt: skip
    """Train on every window; return what the record says.

    A negative is always the first word that is no positive of its pair or window; for a block, whose draws are any
    window's, the first word.
    """
    inputs, outputs = tables["word_factors"], tables["output_factors"]
    k = inputs.shape[1]
    steps, skipped, loss = 0, 0, 0.0
    tried, lengths = [], []

    def rate_of(name, row, mean_square):
        if not adagrad:
            return rate
        sums[name][row] += mean_square
        return rate / math.sqrt(sums[name][row])

    for sentence, reach in zip(sentences, reaches, strict=True):
        # A block is eight words of a sentence and their windows.
        for at, (centre, others) in enumerate(windows(sentence, reach)):
            of, positives = ([centre], others) if architecture == "skipgram" else (others, [centre])
            for pairs in [[word] for word in positives] if draws_per == "pair" else [positives]:
                free = [word for word in range(len(outputs)) if draws_per == "block" or word not in pairs]
                if draws_per != "block" or at % 8 == 0:
                    tried += [free[0] + 1 if free else len(outputs)] * n_draws
                    skipped += 0 if free else n_draws
                negatives = [word for word in free[:1] * n_draws if word not in pairs]
                weight = n_negatives * len(pairs) / n_draws
                v = np.mean([inputs[word] for word in of], axis=0)
                slopes = [weight * sigmoid(float(v @ outputs[word])) for word in negatives]
                slopes += [sigmoid(float(v @ outputs[word])) - 1 for word in pairs]
                lengths += [sigmoid(float(v @ outputs[word])) * math.sqrt(v @ v) for word in negatives]
                loss += window_objective(inputs, outputs, pairs, [(word, weight) for word in negatives], of)
                steps += len(pairs)
                gradient = np.zeros(k)
                for word, slope in zip(negatives + pairs, slopes, strict=True):
                    step = rate_of("output_factors", word, slope * slope * float(v @ v) / k)
                    gradient += slope * outputs[word]
                    outputs[word] -= step * slope * v
                gradient /= len(of)
                for word in of:
                    inputs[word] -= rate_of("word_factors", word, float(gradient @ gradient) / k) * gradient
    means = {"trials": tried, "negative_gradient": lengths}
    record = {name: sum(of) / max(len(of), 1) for name, of in means.items()}
    return {"steps": steps, "skipped": skipped, "loss": loss / max(steps, 1)} | record
