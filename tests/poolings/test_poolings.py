"""Every pooling: values against the oracle, gradients against finite differences of the oracle."""

from __future__ import annotations

import itertools

import numpy as np
import oracle_retrieval as oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsenumba.errors import InputError, UnknownNameError
from vsenumba.poolings import POOLINGS, AdPool, GeneralisedPooling, TopMeanPooling, as_pooling

REFERENCES = {
    "mean": (POOLINGS["mean"](), oracle.mean_pooling),
    "max": (POOLINGS["max"](), oracle.max_pooling),
    "top-mean": (TopMeanPooling(k=2), lambda *a: oracle.top_mean_pooling(*a, k=2)),
    "gpo": (GeneralisedPooling(hidden=3), lambda *a: oracle.gpo_pooling(*a, temperature=0.1)),
    "adpool": (AdPool(), lambda *a: oracle.adpool(*a, padding="masked")),
    "adpool, released": (AdPool(padding="released"), lambda *a: oracle.adpool(*a, padding="released")),
}


def test_every_pooling_has_a_reference():
    assert {name.partition(",")[0] for name in REFERENCES} == set(POOLINGS)


@st.composite
def segments(draw):
    """Draw segments of one row or more, with values that may be equal, and a seed for parameters."""
    width = draw(st.integers(1, 4))
    lengths = draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
    values = st.integers(-40, 40).map(lambda i: i / 16)
    rows = draw(st.lists(values, min_size=sum(lengths) * width, max_size=sum(lengths) * width))
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    return np.array(rows, np.float32).reshape(-1, width), offsets, draw(st.integers(0, 1000))


def parameters_of(pooling, width, seed):
    rng = np.random.default_rng(seed)
    fresh = pooling.fresh_parameters(width, rng)
    # Also what begins at 0 is given values.
    return {name: rng.normal(size=table.shape).astype(np.float32) * 0.3 for name, table in fresh.items()}


def pooled_by_oracle(reference, values, offsets, parameters):
    longest = int(np.diff(offsets).max())
    return np.array(
        [
            reference([[float(x) for x in row] for row in values[begin:end]], parameters, longest)
            for begin, end in itertools.pairwise(offsets)
        ]
    )


@pytest.mark.parametrize("name", REFERENCES)
class TestEveryPooling:
    @given(drawn=segments())
    def test_value(self, name, drawn):
        pooling, reference = REFERENCES[name]
        values, offsets, seed = drawn
        parameters = parameters_of(pooling, values.shape[1], seed)
        expected = pooled_by_oracle(reference, values, offsets, parameters)
        assert np.allclose(pooling.pool(values, offsets, parameters), expected, atol=1e-5)

    @pytest.mark.parametrize("seed", range(3))
    def test_gradients(self, name, seed):
        pooling, reference = REFERENCES[name]
        rng = np.random.default_rng(seed)
        offsets = np.array([0, 3, 4, 9])
        values = rng.normal(size=(9, 4)).astype(np.float32)
        parameters = parameters_of(pooling, 4, seed)
        direction = rng.normal(size=(3, 4))

        def loss(rows, tables):
            return float((direction * pooled_by_oracle(reference, rows, offsets, tables)).sum())

        _, memory = pooling.forward(values, offsets, parameters)
        in_values, in_parameters = pooling.backward(direction.astype(np.float32), memory)
        assert np.allclose(in_values, oracle.slopes(lambda rows: loss(rows, parameters), values), atol=1e-3)
        assert set(in_parameters) == set(parameters)
        for key, table in parameters.items():
            expected = oracle.slopes(lambda moved, key=key: loss(values, parameters | {key: moved}), table)
            assert np.allclose(in_parameters[key], expected, atol=1e-3), key

    def test_fresh_parameters_are_the_seed_s(self, name):
        pooling, _ = REFERENCES[name]
        first, second = (pooling.fresh_parameters(8, np.random.default_rng(1)) for _ in range(2))
        assert all(np.array_equal(first[key], second[key]) for key in first)
        assert all(table.dtype == np.float32 for table in first.values())

    def test_wide_and_long_segments(self, name):
        # Wider than the blocks of columns, and longer than a power of two.
        pooling, reference = REFERENCES[name]
        rng = np.random.default_rng(0)
        offsets = np.array([0, 37, 38])
        values = rng.normal(size=(38, 70)).astype(np.float32)
        parameters = pooling.fresh_parameters(70, rng)
        expected = pooled_by_oracle(reference, values, offsets, parameters)
        assert np.allclose(pooling.pool(values, offsets, parameters), expected, atol=1e-5)


def test_gpo_begins_as_the_mean():
    rng = np.random.default_rng(0)
    values, offsets = rng.normal(size=(5, 3)).astype(np.float32), np.array([0, 2, 5])
    pooling = GeneralisedPooling()
    pooled = pooling.pool(values, offsets, pooling.fresh_parameters(3, rng))
    assert np.allclose(pooled, POOLINGS["mean"]().pool(values, offsets, {}), atol=1e-6)


def test_masked_pooling_does_not_depend_on_the_batch():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(7, 4)).astype(np.float32)
    for padding, alike in (("masked", True), ("released", False)):
        pooling = AdPool(padding=padding)
        parameters = pooling.fresh_parameters(4, rng)
        alone = pooling.pool(values[:2].copy(), np.array([0, 2]), parameters)
        beside = pooling.pool(values, np.array([0, 2, 7]), parameters)
        assert np.allclose(alone[0], beside[0], atol=1e-6) is alike


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TopMeanPooling(k=0), "k must be a whole number"),
        (lambda: GeneralisedPooling(temperature=0), "temperature must be positive"),
        (lambda: GeneralisedPooling(hidden=1.5), "hidden must be a whole number"),
        (lambda: GeneralisedPooling(hidden=10**9), "hidden must be at most 10,000, not 1000000000"),
        (lambda: AdPool(padding="released?"), "did you mean 'released'"),
        (lambda: as_pooling("adpol"), "unknown pooling 'adpol'; did you mean 'adpool'"),
        (lambda: as_pooling(3), "pooling must be a name or an instance of Pooling"),
    ],
)
def test_bad_settings(make, message):
    with pytest.raises((InputError, UnknownNameError), match=message):
        make()


@pytest.mark.parametrize("pooling", [made() for made in POOLINGS.values()], ids=POOLINGS)
def test_offsets_that_leave_the_rows_are_refused(pooling):
    """Found 2026-11: what lies behind the rows in memory was pooled."""
    parameters = pooling.fresh_parameters(2, np.random.default_rng(0))
    for bad in ([0, 50], [0, 2, 2, 3], [0, 2], [-1, 3], [0], []):
        with pytest.raises(InputError, match=r"offsets must (rise from 0|have the shape)"):
            pooling.pool(np.ones((3, 2), np.float32), np.array(bad, np.int64), parameters)


@pytest.mark.parametrize("name", POOLINGS)
def test_shapes_are_those_of_fresh_parameters(name):
    """Files are held to them, and a crafted one must not make what it only claims."""
    pooling = POOLINGS[name]()
    fresh = pooling.fresh_parameters(5, np.random.default_rng(0))
    assert pooling.parameter_shapes(5) == {key: table.shape for key, table in fresh.items()}
