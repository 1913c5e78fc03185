"""Planted images and captions: a colour, a thing and noise."""

from __future__ import annotations

import itertools

import numpy as np

import vsenumba as vse

COLOURS, THINGS = ["red", "blue", "green", "black"], ["cat", "dog", "bird", "fish", "car"]


def scenes(seed=0, copies=2, noise=0.1):
    """Return images whose rows are a colour, a thing and noise, with captions that name both."""
    rng = np.random.default_rng(seed)
    codes = {word: np.random.default_rng(1).normal(size=(9, 10))[i] for i, word in enumerate(COLOURS + THINGS)}
    rows, captions = [], []
    for colour, thing in list(itertools.product(COLOURS, THINGS)) * copies:
        parts = [codes[colour], codes[thing], *rng.normal(size=(rng.integers(0, 3), 10))]
        rows.append(np.array(parts) + noise * rng.normal(size=(len(parts), 10)))
        captions.append([f"a {colour} {thing}", f"the {thing} is {colour}"])
    return vse.CaptionSet.from_lists(rows, captions)
