"""Branches, AdamW, dropout and captions' words: gradients against finite differences, the paper's update."""

from __future__ import annotations

import itertools

import numpy as np
import oracle_retrieval as oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsenumba.poolings import POOLINGS, as_pooling
from vsenumba.training.adamw import AdamW
from vsenumba.training.captions.branch import Branch
from vsenumba.training.captions.caption_rows import UNKNOWN, WordCaptions, caption_words
from vsenumba.training.captions.projections import PROJECTIONS
from vsenumba.training.captions.trainer import thinned


@pytest.mark.parametrize("projection", PROJECTIONS)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_gradients_of_a_branch(projection, pooling):
    rng = np.random.default_rng(3)
    branch = Branch(projection=PROJECTIONS[projection](), pooling=as_pooling(pooling))
    offsets = np.array([0, 2, 5])
    rows = rng.normal(size=(5, 3)).astype(np.float32)
    parameters = {
        name: table + 0.1 * rng.normal(size=table.shape).astype(np.float32)
        for name, table in branch.fresh_parameters(3, 4, rng).items()
    }
    direction = rng.normal(size=(2, 4)).astype(np.float32)

    def loss(rows, tables):
        tables = {name: np.asarray(table, np.float32) for name, table in tables.items()}
        vectors, _ = branch.forward(np.asarray(rows, np.float32), offsets, tables)
        return float((direction * vectors.astype(np.float64)).sum())

    vectors, memory = branch.forward(rows, offsets, parameters)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    in_rows, gradients = branch.backward(direction, memory, in_rows=True)
    assert np.allclose(in_rows, oracle.slopes(lambda moved: loss(moved, parameters), rows, 1e-3), atol=1e-2)
    assert set(gradients) == set(parameters)
    for name, table in parameters.items():
        expected = oracle.slopes(lambda moved, name=name: loss(rows, parameters | {name: moved}), table, 1e-3)
        assert np.allclose(gradients[name], expected, atol=1e-2), name
    assert branch.backward(direction, memory)[0] is None


def test_adamw_is_that_of_the_paper():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(3, 2)).astype(np.float32)
    mine, expected = {"a": table.copy()}, table.astype(np.float64)
    optimiser = AdamW(mine, 0.1, 2.0)
    first, second = np.zeros((2, 3, 2))
    for step in range(1, 5):
        gradient = rng.normal(size=(3, 2)).astype(np.float32) * 10 ** (step - 3)
        length = np.linalg.norm(gradient)
        assert optimiser.step({"a": gradient}, 0.05) == pytest.approx(length, rel=1e-5)
        cut = gradient * min(1, 2 / length)
        first, second = 0.9 * first + 0.1 * cut, 0.999 * second + 0.001 * cut**2
        expected *= 1 - 0.05 * 0.1
        expected -= 0.05 * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    assert np.allclose(mine["a"], expected, atol=1e-5)


@given(lengths=st.lists(st.integers(1, 5), min_size=1, max_size=5), share=st.floats(0, 0.99), seed=st.integers(0, 99))
def test_dropout_leaves_a_row_of_each_item(lengths, share, seed):
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    rows = np.arange(offsets[-1])
    left, begins = thinned(rows, offsets, share, np.random.default_rng(seed))
    assert begins[-1] == len(left)
    for i, (first, last) in enumerate(itertools.pairwise(begins)):
        assert last > first
        assert set(left[first:last]) <= set(rows[offsets[i] : offsets[i + 1]])


def test_words_are_those_of_training_and_the_rest_is_unknown():
    words = caption_words(["a cat", "A CAT, a dog", "ünïcode"], min_count=2)
    assert list(words) == [UNKNOWN, "a", "cat"]
    captions = WordCaptions(["the cat", "...", "a"], words)
    tokens, offsets = captions.take(np.array([2, 0, 1]))
    assert tokens.tolist() == [1, 0, 2, 0]
    assert offsets.tolist() == [0, 1, 3, 4]
