"""A set whose right answer is known, and models that learn it quickly."""

from __future__ import annotations

import numpy as np

import vsenumba as vse

# One combination for all tests that do not need another: each takes the compiler seconds.
PLAIN = {"n_factors": 4, "sampler": "uniform", "n_epochs": 3, "schedule": "constant", "random_state": 0}


def model_of(inputs="labels", **parameters):
    return vse.ImageAnnotator(inputs=inputs, **(PLAIN | parameters))


def checkerboard(n=24, n_labels=10, seed=0):
    """Return a set whose right answer is known: even images have even labels, odd images odd ones."""
    rng = np.random.default_rng(seed)
    matrix = (np.add.outer(np.arange(n), np.arange(n_labels)) % 2 == 0) & (rng.random((n, n_labels)) < 0.8)
    matrix[np.arange(n), np.arange(n) % 2] = True
    matrix[np.arange(n), np.arange(n) % 2 + 2] = True
    names = [f"label {j}" for j in range(n_labels)]
    return vse.AnnotationSet.from_csr(matrix, [f"image {i}" for i in range(n)], names)
