"""Schemas of files: declarations of the type, shape and range of every element, and their checks.

Sizes in a schema have names. The first element with a named size sets its value, and all others must agree. So
``("n_labels", "n_factors")`` ties a table to the label names and to the parameters.

>>> names = np.array(["cat", "dog"], np.dtypes.StringDType())
>>> schema = Elements({"names": Names("n_labels"), "table": Array(FLOAT, ("n_labels", 3), finite=True)})
>>> check(schema, {"names": names, "table": np.zeros((2, 3), np.float32)})
{'n_labels': 2}
>>> check(schema, {"names": names, "table": np.zeros((5, 3), np.float32)})
Traceback (most recent call last):
...
vsenumba.errors.InputError: table has the shape (5, 3); expected (n_labels = 2, 3)
"""

from __future__ import annotations

import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vsenumba.errors import InputError
from vsenumba.storage.encodings import Json
from vsenumba.storage.mapped import blocks_of

FLOAT = ("<f4",)
INDEX = ("<i4",)
COUNT = ("<i8",)
BYTE = ("|u1",)
REALS = ("<f2", "<f4")
NUMBERS = ("|b1", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8", "<f2", "<f4", "<f8")

# The known sizes, by name.
Sizes = dict[str, int]
# A size: a number, a name, or a name plus a number, as in "n_images+1".
Size = int | str

# Sums of counts must fit into 64 bits.
_LARGEST_SUM = 2**62


class Spec(ABC):
    """The declaration of one element."""

    @abstractmethod
    def check(self, value: Any, where: str, sizes: Sizes) -> None:
        """Refuse a value that does not match; `sizes` has the known sizes, and new ones are added to it.

        Raises
        ------
        InputError
            With the element's name, the value found and the value expected.
        """


def check(spec: Spec, value: Any, **sizes: int) -> Sizes:
    """Refuse a value that does not match a schema; return all sizes, including those given.

    Raises
    ------
    InputError
        For the first element that does not match.
    """
    spec.check(value, "", sizes)
    return sizes


@dataclass(frozen=True)
class Array(Spec):
    """An array of numbers.

    Parameters
    ----------
    dtypes : tuple of str
        The allowed dtypes.
    shape : tuple of int or str
        The extents.
    least, below : int, float or str, optional
        The minimum of all values, and their exclusive maximum; named sizes are allowed.
    finite : bool
        Whether NaN and infinities are refused.
    """

    dtypes: tuple[str, ...]
    shape: tuple[Size, ...]
    least: float | None = None
    below: float | str | None = None
    finite: bool = False

    def check(self, value: Any, where: str, sizes: Sizes) -> None:
        """See `Spec.check`."""
        if not isinstance(value, np.ndarray) or value.dtype.kind == "T":
            raise InputError(f"{where} is {_described(value)}, not an array of numbers")
        if value.dtype.newbyteorder("<").str not in self.dtypes:
            raise InputError(f"{where} is an array of {value.dtype.str}; expected {' or '.join(self.dtypes)}")
        fits = value.ndim == len(self.shape)
        if not fits or not all(_fits(n, size, sizes) for n, size in zip(value.shape, self.shape, strict=True)):
            expected = ", ".join(_size_text(size, sizes) for size in self.shape)
            comma = "," if len(self.shape) == 1 else ""
            raise InputError(f"{where} has the shape {value.shape}; expected ({expected}{comma})")
        if self.finite or self.least is not None or self.below is not None:
            for block in blocks_of(value):
                self._check_values(block, where, sizes)

    def _check_values(self, block: np.ndarray, where: str, sizes: Sizes) -> None:
        if self.finite and not np.isfinite(block).all():
            raise InputError(f"{where} contains NaN or infinite values")
        # The opposite comparison would accept NaN.
        if self.least is not None and not (block >= self.least).all():
            raise InputError(f"{where} contains {block.min()}; expected at least {self.least:g}")
        below = _known(self.below, sizes) if isinstance(self.below, str) else self.below
        if below is not None and not (block < below).all():
            raise InputError(f"{where} contains {block.max()}; expected less than {below:,}")


@dataclass(frozen=True)
class Offsets(Spec):
    """The offsets of items in all rows, with one entry more than items: they rise from 0 to the number of rows.

    Parameters
    ----------
    items, rows : str
        The two sizes.
    """

    items: str
    rows: str

    def check(self, value: Any, where: str, sizes: Sizes) -> None:
        """See `Spec.check`."""
        Array(COUNT, (f"{self.items}+1",)).check(value, where, sizes)
        falls = any((block[1:] < block[:-1]).any() for block in blocks_of(value, overlap=1))
        if value[0] != 0 or falls or not _fits(int(value[-1]), self.rows, sizes):
            raise InputError(f"{where} does not rise from 0 to {_size_text(self.rows, sizes)}")


@dataclass(frozen=True)
class Counts(Spec):
    """Counts: whole numbers of at least 0, whose sum fits into 64 bits."""

    size: Size

    def check(self, value: Any, where: str, sizes: Sizes) -> None:
        """See `Spec.check`."""
        Array(COUNT, (self.size,), least=0).check(value, where, sizes)
        if value.sum(dtype=np.float64) > _LARGEST_SUM:
            raise InputError(f"{where} adds up to {value.sum(dtype=np.float64):g}, which is too large")


@dataclass(frozen=True)
class Texts(Spec):
    """A one-dimensional array of any texts."""

    size: Size

    def check(self, value: Any, where: str, sizes: Sizes) -> None:
        """See `Spec.check`."""
        if not isinstance(value, np.ndarray) or value.dtype.kind != "T":
            raise InputError(f"{where} is {_described(value)}, not texts")
        if not _fits(len(value), self.size, sizes):
            raise InputError(f"{where} has {len(value):,} texts; expected {_size_text(self.size, sizes)}")


@dataclass(frozen=True)
class Names(Spec):
    """Names as a list, or as a prefix and a count; a `Vocabulary` checks that they are distinct."""

    size: Size

    def check(self, value: Any, where: str, sizes: Sizes) -> None:
        """See `Spec.check`."""
        if not isinstance(value, Mapping):
            Texts(self.size).check(value, where, sizes)
            return
        Object({"prefix": Text(), "count": Whole()}).check(value, where, sizes)
        if not _fits(value["count"], self.size, sizes):
            raise InputError(f"{where} has {value['count']:,} names; expected {_size_text(self.size, sizes)}")


@dataclass(frozen=True)
class Text(Spec):
    """A JSON text that can be written in UTF-8, and matches the `pattern` if there is one."""

    pattern: str | None = None

    def check(self, value: Any, where: str, sizes: Sizes) -> None:
        """See `Spec.check`."""
        if not isinstance(value, str):
            raise InputError(f"{where} is {_described(value)}, not text")
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InputError(f"{where} is not valid Unicode: {error.reason}") from error
        if self.pattern is not None and not re.fullmatch(self.pattern, value):
            raise InputError(f"{where} is {value!r:.60}, which does not match {self.pattern}")


@dataclass(frozen=True)
class Whole(Spec):
    """A JSON number that is whole and at least `least`; its value may have to equal a size."""

    least: int = 0
    size: str | None = None

    def check(self, value: Any, where: str, sizes: Sizes) -> None:
        """See `Spec.check`."""
        if type(value) is not int or not self.least <= value < _LARGEST_SUM:
            raise InputError(f"{where} is {_described(value)}, not a whole number of at least {self.least}")
        if self.size is not None and not _fits(value, self.size, sizes):
            raise InputError(f"{where} is {value}; expected {_size_text(self.size, sizes)}")


@dataclass(frozen=True)
class Number(Spec):
    """A JSON number."""

    def check(self, value: Any, where: str, sizes: Sizes) -> None:
        """See `Spec.check`."""
        if type(value) not in (int, float) or abs(value) > sys.float_info.max:
            raise InputError(f"{where} is {_described(value)}, not a number")


@dataclass(frozen=True)
class ListOf(Spec):
    """A JSON list whose members match one declaration; its length may have to equal a size."""

    member: Spec
    size: Size | None = None

    def check(self, value: Any, where: str, sizes: Sizes) -> None:
        """See `Spec.check`."""
        if not isinstance(value, list):
            raise InputError(f"{where} is {_described(value)}, not a list")
        if self.size is not None and not _fits(len(value), self.size, sizes):
            raise InputError(f"{where} has {len(value):,} members; expected {_size_text(self.size, sizes)}")
        for i, one in enumerate(value):
            self.member.check(one, f"{where}[{i}]", sizes)


@dataclass(frozen=True)
class Either(Spec):
    """A value that matches one of two declarations."""

    first: Spec
    second: Spec

    def check(self, value: Any, where: str, sizes: Sizes) -> None:
        """See `Spec.check`."""
        try:
            self.first.check(value, where, sizes)
        except InputError:
            self.second.check(value, where, sizes)


@dataclass(frozen=True)
class Optional(Spec):
    """An element that may be missing from its mapping."""

    spec: Spec

    def check(self, value: Any, where: str, sizes: Sizes) -> None:
        """See `Spec.check`."""
        self.spec.check(value, where, sizes)


@dataclass(frozen=True)
class Elements(Spec):
    """A mapping of elements, which are checked in the order of their declaration.

    Parameters
    ----------
    members : mapping from str to Spec
        The required elements, except those that are `Optional`.
    closed : bool
        Whether other elements are refused; otherwise a reader ignores them.
    or_empty : bool
        Whether an empty mapping is allowed.
    """

    members: Mapping[str, Spec]
    closed: bool = False
    or_empty: bool = False

    def check(self, value: Any, where: str, sizes: Sizes) -> None:
        """See `Spec.check`."""
        if not isinstance(value, Mapping):
            raise InputError(f"{where} is {_described(value)}, not a mapping")
        if self.or_empty and not value:
            return
        if self.closed and (others := [name for name in value if name not in self.members]):
            raise InputError(f"{_joined(where, others[0])} is unknown; expected {', '.join(self.members)}")
        for name, spec in self.members.items():
            if name in value:
                spec.check(_bare(value[name]), _joined(where, name), sizes)
            elif not isinstance(spec, Optional):
                raise InputError(f"{_joined(where, name)} is missing")


@dataclass(frozen=True)
class Each(Spec):
    """A mapping with any names, whose elements match one declaration.

    Parameters
    ----------
    member : Spec
        The declaration of the elements.
    own_sizes : bool
        Whether each element has its own sizes, instead of sharing them with the others.
    """

    member: Spec
    own_sizes: bool = False

    def check(self, value: Any, where: str, sizes: Sizes) -> None:
        """See `Spec.check`."""
        Elements({}).check(value, where, sizes)
        for name, one in value.items():
            self.member.check(_bare(one), _joined(where, name), dict(sizes) if self.own_sizes else sizes)


@dataclass(frozen=True)
class Columns(Spec):
    """Columns of numbers of equal length: some are declared, others may have any dtype.

    Parameters
    ----------
    size : int or str
        The length of the columns.
    members : mapping from str to Spec
        The declared columns.
    """

    size: Size
    members: Mapping[str, Spec]

    def check(self, value: Any, where: str, sizes: Sizes) -> None:
        """See `Spec.check`."""
        Elements(self.members).check(value, where, sizes)
        Each(Array(NUMBERS, (self.size,))).check(value, where, sizes)


@dataclass(frozen=True)
class Object(Spec):
    """A JSON object: some members are declared, and all others match `each`, or may be any JSON value."""

    members: Mapping[str, Spec]
    each: Spec | None = None

    def check(self, value: Any, where: str, sizes: Sizes) -> None:
        """See `Spec.check`."""
        if not isinstance(value, Mapping) or not _is_json(value):
            raise InputError(f"{where} is {_described(value)}, not a JSON object")
        Elements(self.members).check(value, where, sizes)
        if self.each is not None:
            Each(self.each).check(value, where, sizes)


def _bare(value: Any) -> Any:
    """Return the value that reading an element will give."""
    return value.value if isinstance(value, Json) else value


def _joined(where: str, name: str) -> str:
    return f"{where}/{name}" if where else name


def _is_json(value: Any) -> bool:
    if isinstance(value, (Mapping, list)):
        return all(_is_json(one) for one in (value.values() if isinstance(value, Mapping) else value))
    return value is None or isinstance(value, (str, int, float))


def _described(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return (
            "an array of texts" if value.dtype.kind == "T" else f"an array of {value.dtype.str} of shape {value.shape}"
        )
    if isinstance(value, Mapping):
        return "a mapping or JSON object"
    return f"{value!r:.60}" if _is_json(value) else f"of type {type(value).__name__}"


def _fits(found: int, size: Size, sizes: Sizes) -> bool:
    """Return whether an extent equals a size; an unknown size is set to the extent."""
    if isinstance(size, int):
        return found == size
    name, _, added = size.partition("+")
    bare = found - int(added or 0)
    return bare >= 0 and sizes.setdefault(name, bare) == bare


def _known(size: str, sizes: Sizes) -> int:
    name, _, added = size.partition("+")
    return sizes[name] + int(added or 0)


def _size_text(size: Size, sizes: Sizes) -> str:
    if isinstance(size, int):
        return f"{size}"
    return f"{size} = {_known(size, sizes)}" if size.partition("+")[0] in sizes else size
