"""The gate: what is handed to kernels has the shape, the type and the order that they take for granted."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from array_forms import FORMS, frozen
from hypothesis import given
from hypothesis import strategies as st

from vsenumba.errors import InputError
from vsenumba.kernels.gate import admit, below, readable, segments, writable
from vsenumba.kernels.products import _product, product, product_of_transposed

TABLE = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_an_array_in_any_form_is_read_as_the_same_numbers(form):
    given = form(TABLE)
    found = readable("table", given, (3, None))
    np.testing.assert_array_equal(found, TABLE)
    assert found.dtype.isnative
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    assert found.flags.aligned
    # So that Numba takes it for what it has compiled for.
    assert found.flags.writeable
    np.testing.assert_array_equal(given, TABLE)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_what_is_written_is_the_array_itself_or_a_copy_that_takes_its_place(form):
    given = form(TABLE)
    arrays = {"table": given}
    admit("tables_", arrays, {"table": (3, 4)})
    arrays["table"][1, 1] = 77
    if form is FORMS["as it is"]:
        assert given[1, 1] == 77
    else:
        np.testing.assert_array_equal(given, TABLE)
    assert arrays["table"][1, 1] == 77


def test_what_cannot_be_written_is_lent_and_never_copied_to_be_read(tmp_path):
    np.save(tmp_path / "table.npy", TABLE)
    mapped = np.load(tmp_path / "table.npy", mmap_mode="r")
    found = readable("table", mapped, (3, 4))
    assert np.shares_memory(found, mapped)
    assert type(found) is np.ndarray
    del mapped
    np.testing.assert_array_equal(found, TABLE)
    assert not np.shares_memory(writable("table", frozen(TABLE), (3, 4)), TABLE)


@pytest.mark.parametrize(
    ("array", "shape", "message"),
    [
        (np.zeros((2, 4), np.float32), (3, 4), r"^tables_\['x'\] must have the shape \(3, 4\), not \(2, 4\)$"),
        (np.zeros((2, 4), np.float32), (None, 3), r"must have the shape \(any, 3\), not \(2, 4\)$"),
        (np.zeros(4, np.float32), (None, 4), r"must have the shape \(any, 4\), not \(4,\)$"),
        (np.float32(1), (4,), r"must have the shape \(4,\), not \(\)$"),
        (np.zeros(4, np.complex64), (4,), r"must hold float32 numbers, not complex64$"),
        (np.zeros(4, np.int64), (4,), r"must hold float32 numbers, not int64$"),
        (np.array(["a"]), (1,), r"must hold float32 numbers, not <U1$"),
        (None, (1,), r"must have the shape \(1,\), not \(\)$"),
    ],
)
def test_another_shape_or_kind_of_numbers_is_refused_with_both(array, shape, message):
    for function in (readable, writable):
        with pytest.raises(InputError, match=message):
            function("tables_['x']", array, shape)


def test_a_missing_array_is_named():
    with pytest.raises(InputError, match=r"^moments has no 'steps'; it must have the shape \(1,\)$"):
        admit("moments", {}, {"steps": (1,)})


@pytest.mark.parametrize("bad", [[], [1, 3], [0, 2], [0, 2, 1, 3], [[0, 3]]])
def test_offsets_that_do_not_rise_to_the_last_row_are_refused(bad):
    with pytest.raises(InputError, match=r"^indptr must"):
        segments("indptr", np.array(bad, np.int64), 3)


def test_offsets_may_be_asked_for_a_number_of_segments_of_a_least_length():
    offsets = np.array([0, 1, 1, 3])
    np.testing.assert_array_equal(segments("indptr", offsets, 3, 3), offsets)
    with pytest.raises(InputError, match=r"must have the shape \(3,\), not \(4,\)"):
        segments("indptr", offsets, 3, 2)
    with pytest.raises(InputError, match="in steps of 1 or more"):
        segments("indptr", offsets, 3, least=1)


@given(st.lists(st.integers(-3, 8), max_size=5))
def test_row_numbers_lie_below_their_bound(numbers):
    numbers = np.array(numbers, np.int32)
    if all(0 <= number < 5 for number in numbers):
        np.testing.assert_array_equal(below("indices", numbers, 5), numbers)
    else:
        with pytest.raises(InputError, match=rf"^indices must lie in 0..4, found {numbers.min()}..{numbers.max()}$"):
            below("indices", numbers, 5)


def test_wider_row_numbers_are_refused_before_they_wrap():
    with pytest.raises(InputError, match="must hold int32 numbers, not int64"):
        below("indices", np.array([2**32]), 5)


def test_products_of_tables_that_do_not_fit_are_refused():
    """Found 2026-11: the system's own words, "returned a result with an exception set"."""
    with pytest.raises(InputError, match=r"the right factor must have the shape \(4, any\), not \(3, 4\)"):
        product(TABLE, TABLE)
    with pytest.raises(InputError, match=r"the right factor must have the shape \(3, any\), not \(2, 4\)"):
        product_of_transposed(TABLE, TABLE[:2])


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")
def test_nothing_is_compiled_once_more_for_read_only_arrays():
    expected = product(TABLE, TABLE.T.copy())
    before = list(_product.compiled.signatures)
    np.testing.assert_array_equal(product(frozen(TABLE), frozen(TABLE.T)), expected)
    np.testing.assert_array_equal(product(TABLE.astype(">f4"), TABLE.T), expected)
    assert _product.compiled.signatures == before
