"""Schemas: what fits passes and binds its sizes, what does not is refused by its name."""

from __future__ import annotations

import numpy as np
import pytest

from vsenumba.errors import FileFormatError, InputError, MemoryLimitError, UnknownNameError
from vsenumba.storage import Json, content_of
from vsenumba.storage.schema import (
    COUNT,
    FLOAT,
    INDEX,
    NUMBERS,
    Array,
    Columns,
    Counts,
    Each,
    Either,
    Elements,
    ListOf,
    Names,
    Number,
    Object,
    Offsets,
    Optional,
    Text,
    Texts,
    Whole,
    check,
)

TEXTS = np.array(["a", "b"], np.dtypes.StringDType())
EYE = np.eye(2, dtype=np.float32)


@pytest.mark.parametrize(
    ("spec", "value", "message"),
    [
        (Array(FLOAT, (2, "n")), EYE, None),
        (Array(FLOAT, (2, "n")), EYE.astype(">f4"), None),
        (Array(FLOAT, (2, 3)), EYE, r"has the shape \(2, 2\); expected \(2, 3\)"),
        (Array(FLOAT, (2,)), EYE, r"expected \(2,\)"),
        (Array(FLOAT, (2, 2)), EYE.astype("f8"), "is an array of <f8; expected <f4"),
        (Array(FLOAT, (2, 2)), TEXTS, "is an array of texts, not an array"),
        (Array(FLOAT, (2, 2)), [1], r"is \[1\], not an array"),
        (Array(FLOAT, ("n",), finite=True), np.array([1, np.nan], "f4"), "contains NaN or infinite values"),
        (Array(FLOAT, ("n",), least=0), np.array([1, np.nan], "f4"), "expected at least 0"),
        (Array(INDEX, ("n",), least=0, below="n"), np.array([0, 2], "i4"), "contains 2; expected less than 2"),
        (Array(INDEX, ("n+3",)), np.zeros(2, "i4"), r"expected \(n\+3,\)"),
        (Array(INDEX, ("n",), least=0, below=5, finite=True), np.zeros(0, "i4"), None),
        (Offsets("n", "m"), np.array([0, 2, 2, 5]), None),
        (Offsets("n", "m"), np.array([0, 3, 2]), "does not rise from 0 to m"),
        (Offsets("n", "m"), np.array([1, 3]), "does not rise"),
        (Offsets("n", "m"), np.zeros(0, "i8"), "has the shape"),
        (Offsets("n", "m"), np.array([0, 2**63 - 1, -(2**63)]), "does not rise"),
        (Counts("n"), np.array([2**62, 2**62]), "adds up to"),
        (Counts("n"), np.array([-1]), "at least 0"),
        (Texts("n"), TEXTS, None),
        (Texts(3), TEXTS, "has 2 texts; expected 3"),
        (Texts(2), EYE, "is an array of <f4 of shape"),
        (Names("n"), TEXTS, None),
        (Names("n"), {"prefix": "", "count": 2}, None),
        (Names(1), {"prefix": "", "count": 2}, "has 2 names; expected 1"),
        (Names("n"), {"prefix": "", "count": 2.0}, "count is 2.0, not a whole number"),
        (Names("n"), {"count": 2}, "prefix is missing"),
        (Text(), "\ud800", "is not valid Unicode"),
        (Text(), 1, "is 1, not text"),
        (Text("[0-9]+"), "1x", "is '1x', which does not match"),
        (Whole(), True, "is True, not a whole number"),
        (Whole(size="n"), 3, None),
        (Whole(size="3"), 2**70, "not a whole number"),
        (Number(), 10**320, "not a number"),
        (Number(), False, "is False, not a number"),
        (ListOf(Whole()), [1, "x"], r"\[1\] is 'x', not a whole number"),
        (ListOf(Whole()), {}, "is a mapping or JSON object, not a list"),
        (ListOf(Whole(), size="n"), [1, 2], None),
        (ListOf(Whole(), size=3), [1, 2], "has 2 members; expected 3"),
        (Either(Text(), Whole()), 1, None),
        (Either(Text(), Whole()), None, "is None, not a whole number"),
        (Object({"a": Whole()}), {"a": 1, "b": [None]}, None),
        (Object({}), {"a": EYE}, "is a mapping or JSON object, not a JSON object"),
        (Object({}, each=Text()), {"a": 1}, "a is 1, not text"),
        (Elements({"a": Optional(Whole())}), {}, None),
        (Elements({"a": Whole()}), {}, "a is missing"),
        (Elements({"a": Whole()}), {"a": Json(1), "other": 2}, None),
        (Elements({"a": Whole()}, closed=True), {"a": 1, "b": 2}, "b is unknown; expected a"),
        (Elements({"a": Whole()}, or_empty=True), {}, None),
        (Elements({}), 3, "is 3, not a mapping"),
        (Each(Elements({"a": Array(COUNT, ("n",))})), {"x": {"a": np.zeros(1, "i8")}, "y": {"a": 1}}, "y/a is 1"),
        (Columns("n", {"a": Array(NUMBERS, ("n",), least=0)}), {"a": np.ones(2), "b": np.ones(3)}, "b has the shape"),
    ],
)
def test_what_fits_and_what_does_not(spec, value, message):
    if message is None:
        check(spec, value)
    else:
        with pytest.raises(InputError, match=message):
            check(spec, value)


def test_sizes_are_bound_once_and_must_agree():
    table = Elements({"names": Names("n"), "table": Array(FLOAT, ("n", "k"))})
    assert check(table, {"names": TEXTS, "table": EYE}, k=2) == {"n": 2, "k": 2}
    with pytest.raises(InputError, match=r"table has the shape \(2, 2\); expected \(n = 2, k = 3\)"):
        check(table, {"names": TEXTS, "table": EYE}, k=3)
    own = {"x": np.zeros(1, "i8"), "y": np.zeros(2, "i8")}
    assert check(Each(Array(COUNT, ("n",)), own_sizes=True), own) == {}
    with pytest.raises(InputError, match="y has the shape"):
        check(Each(Array(COUNT, ("n",))), own)


def test_a_files_name_stands_before_what_is_wrong_in_it():
    for error, expected in (
        (InputError("x"), FileFormatError),
        (UnknownNameError("x"), FileFormatError),
        (MemoryLimitError("x"), MemoryLimitError),
    ):
        with pytest.raises(expected, match=r"a\.h5: x"), content_of("a.h5"):
            raise error
    # A fault of the package itself is not hidden.
    with pytest.raises(ZeroDivisionError), content_of("a.h5"):
        raise ZeroDivisionError
