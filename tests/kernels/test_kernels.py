"""The compiled primitives against the oracle."""

from __future__ import annotations

import inspect
import itertools
from typing import NamedTuple

import numba
import numpy as np
import oracle
import pytest
from blas_threads import blas_threads
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from strategies import factor_tables

from vsenumba.checks import seed_sequence
from vsenumba.errors import InputError
from vsenumba.kernels.aligned import aligned_empty
from vsenumba.kernels.compiler import dispatched, kernel
from vsenumba.kernels.dot import compare, dot, four_dots
from vsenumba.kernels.membership import contains
from vsenumba.kernels.orders import invert_orders, refresh_orders, sort_space
from vsenumba.kernels.prefetch import prefetch, prefetch_row
from vsenumba.kernels.products import product, product_of_transposed
from vsenumba.kernels.random import (
    HIGH_KEY,
    LOW_KEY,
    STATE,
    WAITING,
    begin_draws,
    count_ahead,
    counted_states,
    next_below,
    next_bits,
    next_uniform,
    shard_states,
)
from vsenumba.kernels.sorted_rows import sort_segments
from vsenumba.kernels.threads import one_blas_thread, thread_count, threads
from vsenumba.losses import value_and_grad
from vsenumba.samplers import draw, trial_probability
from vsenumba.training.annotation.inputs.kind import gather_visit, prefetch_visit, scatter_visit, shares_vector
from vsenumba.training.optimisers import row_rate


@given(st.integers(0, 2**32))
def test_random_bits_are_those_of_xorshift(seed):
    states = shard_states(np.random.SeedSequence(seed), 2)
    expected = [int(states[0, 0]), int(states[1, 0])]
    for shard in (0, 1, 0, 0):
        expected[shard] = oracle.xorshift(expected[shard])
        assert int(next_bits(states, shard)) == expected[shard] >> 32
        assert int(states[shard, 0]) == expected[shard]


def test_philox_is_that_of_its_paper():
    """The known answers of the authors' Random123, philox4x32 with ten rounds."""
    assert oracle.philox((0, 0, 0, 0), (0, 0)) == (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
    digits_of_pi = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0)
    assert oracle.philox(*digits_of_pi) == (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)


@given(
    st.integers(0, 2**32),
    st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=5),
    st.integers(0, 2**31),
)
def test_draws_begin_where_the_counter_says(seed, counters, turn):
    """Pairs of sets beyond 2^32 too; alone and ahead, for any shard."""
    states = counted_states(np.random.SeedSequence(seed), 2, len(counters))
    key = [int(word) for word in states[1, [LOW_KEY, HIGH_KEY]]]
    assert key == np.random.SeedSequence(seed).generate_state(2, np.uint32).tolist()
    count_ahead(states, 1, np.array(counters), len(counters), turn)
    for i, counter in enumerate(counters):
        expected = oracle.state_for(counter, turn, key)
        assert int(states[1, WAITING + i]) == expected
        begin_draws(states, 0, counter, turn)
        assert int(states[0, STATE]) == expected


def test_random_states_differ_and_are_never_zero():
    states = shard_states(np.random.SeedSequence(0), 64)
    assert len(set(states[:, 0].tolist())) == 64
    assert states[:, 0].all()


@given(st.integers(0, 2**32), st.integers(1, 2**31 - 1))
def test_random_numbers_keep_their_ranges(seed, n):
    states = shard_states(np.random.SeedSequence(seed), 1)
    assert 0 <= next_below(states, 0, n) < n
    assert 0 < next_uniform(states, 0) < 1


def test_seed_sequence_accepts_what_numpy_accepts():
    same = np.random.SeedSequence(5)
    assert seed_sequence(same) is same
    assert seed_sequence(5).entropy == seed_sequence(np.int64(5)).entropy == 5
    assert seed_sequence(np.random.default_rng(1)).entropy == seed_sequence(np.random.default_rng(1)).entropy
    legacy = [seed_sequence(np.random.RandomState(1)).entropy for _ in range(2)]
    assert legacy[0] == legacy[1]
    assert seed_sequence(None).entropy != seed_sequence(None).entropy


@pytest.mark.parametrize("bad", [-1, 1.5, "seed", True])
def test_seed_sequence_refuses_by_name(bad):
    with pytest.raises(InputError, match="random_state must be a whole number"):
        seed_sequence(bad, "random_state")


@given(st.sets(st.integers(0, 60)), st.integers(0, 61))
def test_contains_is_membership(members, label):
    own = np.array([-5, *sorted(members), 99], dtype=np.int32)
    assert contains(own, 1, len(own) - 1, label) == (label in members)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=3))
def test_aligned_arrays_begin_at_cache_lines(shape):
    table = aligned_empty(tuple(shape))
    assert table.shape == tuple(shape)
    assert table.dtype == np.float32
    assert table.flags.c_contiguous
    assert table.size == 0 or table.ctypes.data % 64 == 0
    table[...] = 1


def test_asking_for_memory_changes_nothing():
    table = np.arange(12.0, dtype=np.float32).reshape(3, 4)
    prefetch(table, 3)
    prefetch_row(table, 2)
    assert table.ravel().tolist() == list(range(12))


@given(factor_tables(rows=4, factors=3), factor_tables(rows=1, factors=3))
def test_dot_products(table, vector):
    difference, vector_square, gap_square = compare(vector, 0, table, 1, 2)
    vector = vector[0]
    gap = table[1].astype(float) - table[2]
    assert dot(vector, table, 3) == pytest.approx(float(vector.astype(float) @ table[3]), abs=1e-4)
    expected = [float(vector.astype(float) @ table[row]) for row in (3, 0, 1, 3)]
    assert four_dots(vector, table, 3, 0, 1, 3) == pytest.approx(expected, abs=1e-4)
    assert difference == pytest.approx(float(vector @ gap), abs=1e-4)
    assert vector_square == pytest.approx(float(vector.astype(float) @ vector), rel=1e-5, abs=1e-30)
    assert gap_square == pytest.approx(float(gap @ gap), rel=1e-4, abs=1e-6)


def refreshed(labels):
    n, k = labels.shape
    orders, spreads = np.zeros((k, n), np.int32), np.zeros(k)
    refresh_orders(labels, orders, spreads, sort_space(n, 1 + k // 3))
    return orders, spreads


@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=40),
        elements=st.floats(allow_nan=False, width=32) | st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e-45, -1e-45]),
    )
)
def test_orders_are_stable_sorts_of_any_floats(labels):
    with np.errstate(all="ignore"):
        orders, _ = refreshed(labels)
    assert orders.tolist() == [oracle.rising_order(column) for column in labels.T]


@given(factor_tables())
def test_spreads_are_standard_deviations(labels):
    _, spreads = refreshed(labels)
    assert spreads == pytest.approx([oracle.spread(column) for column in labels.T], rel=1e-6, abs=1e-12)


def test_threads_are_set_and_put_back():
    before = numba.get_num_threads()
    with threads(1) as n:
        assert n == numba.get_num_threads() == 1
    assert numba.get_num_threads() == before


@given(n_labels=st.integers(1, 40), n_factors=st.integers(1, 35), seed=st.integers(0, 99))
def test_places_are_where_labels_stand_in_the_orders(n_labels, n_factors, seed):
    rng = np.random.default_rng(seed)
    orders = np.stack([rng.permutation(n_labels) for _ in range(n_factors)]).astype(np.int32)
    places = np.full((n_labels, n_factors), -1, np.int32)
    invert_orders(orders, places)
    np.testing.assert_array_equal(places, np.argsort(orders, axis=1).T)


@pytest.mark.parametrize("bad", [0, -2, 1.5, True])
def test_a_bad_number_of_threads_is_refused(bad):
    with pytest.raises(InputError, match="n_threads must be a whole number of at least 1"):
        thread_count(bad)


def test_too_many_threads_warn_with_both_numbers():
    available = numba.config.NUMBA_NUM_THREADS
    with pytest.warns(UserWarning, match=f"n_threads=4096 is reduced to {available}, the number of Numba's threads"):
        assert thread_count(4096) == available


@pytest.mark.parametrize(
    "function",
    [draw, trial_probability, value_and_grad, row_rate, shares_vector, prefetch_visit, gather_visit, scatter_visit],
    ids=lambda f: f.__name__,
)
def test_a_dispatched_function_says_what_it_cannot_do(function):
    arguments = [None] * len(inspect.signature(function).parameters)
    with pytest.raises(TypeError, match="NoneType"):
        function(*arguments)


@given(n=st.integers(1, 9), k=st.integers(1, 5), m=st.integers(1, 5), n_threads=st.sampled_from([1, 2]))
def test_products_are_those_of_numpy(n, k, m, n_threads):
    rng = np.random.default_rng(n)
    left, right, other = (rng.standard_normal(shape, np.float32) for shape in ((n, k), (k, m), (n, m)))
    with threads(min(n_threads, numba.config.NUMBA_NUM_THREADS)):
        np.testing.assert_allclose(product(left, right), left @ right, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(product_of_transposed(left, other), left.T @ other, rtol=1e-5, atol=1e-5)


# Few distinct values, so that ties abound; zeros of both signs, and the ends of what float32 holds.
@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=4), width=st.sampled_from([1, 7, 64, 65]),
    seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_sorted_segments_fall_and_know_their_origins(lengths, width, seed):
    drawn = np.random.default_rng(seed).choice([0.0, -0.0, 1.5, -1.5, 3.4e38, -3.4e38, 1e-45], (sum(lengths), width))
    values, offsets = drawn.astype(np.float32), np.concatenate(([0], np.cumsum(lengths)))
    ordered, origins = sort_segments(values, offsets)
    for begin, end in itertools.pairwise(offsets):
        np.testing.assert_array_equal(ordered[begin:end], -np.sort(-values[begin:end], axis=0))
        np.testing.assert_array_equal(ordered[begin:end], np.take_along_axis(values[begin:end], origins[begin:end], 0))
        assert (np.sort(origins[begin:end], axis=0) == np.arange(end - begin)[:, None]).all()


def test_segments_of_other_numbers_are_sorted_as_float32():
    # Their bits were once taken as they were.
    values = np.array([[1.0, 2.0], [3.0, 0.5]]).T
    assert sort_segments(values, np.array([0, 2]))[0].tolist() == [[2.0, 3.0], [1.0, 0.5]]


def test_blas_has_one_thread_inside_however_deep_and_its_threads_back():
    before = blas_threads()
    with one_blas_thread():
        with one_blas_thread():
            assert {*blas_threads()} <= {1}
        assert {*blas_threads()} <= {1}
    assert blas_threads() == before


def test_products_of_many_rows_do_not_call_blas_with_threads_of_its_own(capfd):
    # OpenBLAS warned that it might hang: its own threads inside a parallel loop.
    left = np.ones((600, 200), np.float32)
    assert product(left, np.ones((200, 100), np.float32))[0, 0] == 200
    assert product_of_transposed(left, np.ones((600, 100), np.float32))[0, 0] == 600
    assert "Warning" not in capfd.readouterr().err


class Metres(NamedTuple):
    """A state of one class."""

    size: float


class Feet(NamedTuple):
    """A state of another class."""

    size: float


@dispatched
def measured(state, factor):
    """Return a size in metres."""
    raise TypeError(f"nothing is measured in {type(state).__name__}")


@measured.implement(Metres)
def _metres(state, factor):
    return state.size * factor


@measured.implement(Feet)
def _feet(state, factor):
    return state.size * factor * 0.3048


@measured.implement(Feet, target="cpu")
def _feet_on_the_processor(state, factor):
    return state.size * factor * 0.3


@kernel
def measure(state, factor):
    return measured(state, factor)


def test_an_implementation_for_a_target_goes_before_the_one_for_all():
    assert measure(Metres(2.0), 3.0) == 6.0
    # Python has no target.
    assert measured(Feet(1.0), 1.0) == 0.3048
    assert measure(Feet(1.0), 1.0) == pytest.approx(0.3048 if numba.config.DISABLE_JIT else 0.3)
    with pytest.raises(TypeError, match="nothing is measured in tuple"):
        measured((1.0,), 1.0)
