"""A vocabulary: the ids of images or the names of labels, and where each stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

import numpy as np

from vsenumba.errors import InputError, unknown_name

NAME_DTYPE = np.dtypes.StringDType()


class Vocabulary:
    """Distinct, non-empty names in a fixed order.

    Parameters
    ----------
    names : iterable of str
        The names; numbers are taken as their decimal text.
    kind : str
        What they name, for error messages: ``"image"`` or ``"label"``.

    Raises
    ------
    InputError
        If a name is empty or stands twice.

    Examples
    --------
    >>> labels = Vocabulary(["cat", "dog"], kind="label")
    >>> labels.index(["dog"])
    array([1])
    >>> labels[0]
    'cat'
    """

    def __init__(self, names: Iterable[Any], kind: str) -> None:
        self.kind = kind
        self.names = as_names(names, kind)
        for i, name in enumerate(self._position):
            if "\0" in name:  # for many readers the end of a text
                raise InputError(f"{kind} name {i} holds a NUL character: {name!r}")
        if len(self._position) != len(self.names):
            first = int(next(i for i, name in enumerate(self.names) if self._position[name] != i))
            raise InputError(f"{kind} {self.names[first]!r} stands twice among the {kind} names; they must be distinct")

    @classmethod
    def numbered(cls, n: int, kind: str) -> Vocabulary:
        """Return the vocabulary ``"0", "1", ..., str(n - 1)``."""
        return cls(np.arange(n).astype(NAME_DTYPE), kind)

    @cached_property
    def _position(self) -> dict[str, int]:
        # The last of two equal names wins, which is how __init__ sees that there are two.
        return {name: i for i, name in enumerate(self.names)}

    def index(self, names: Iterable[Any]) -> np.ndarray:
        """Return the positions of ``names`` as int64.

        Raises
        ------
        UnknownNameError
            For the first name that is not known, with the nearest known ones.
        """
        found = self.find(names := [str(name) for name in names])
        missing = np.flatnonzero(found < 0)
        if len(missing):
            raise unknown_name(self.kind, names[missing[0]], self)
        return found

    def find(self, names: Iterable[Any]) -> np.ndarray:
        """Return the positions of ``names`` as int64, -1 for those not known."""
        return np.fromiter((self._position.get(str(name), -1) for name in names), dtype=np.int64)

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __getitem__(self, position: int) -> str:
        return str(self.names[position])

    def __contains__(self, name: object) -> bool:
        return str(name) in self._position

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and np.array_equal(self.names, other.names)

    __hash__ = None  # type: ignore[assignment]  # compared by content, like a list

    def __repr__(self) -> str:
        shown = ", ".join(repr(name) for name in self.names[:3])
        return f"<{len(self)} {self.kind} names: {shown}{', ...' if len(self) > 3 else ''}>"


def as_names(names: Iterable[Any], kind: str) -> np.ndarray:
    """Return names as a ``StringDType`` array, refusing empty ones by their position."""
    if isinstance(names, np.ndarray) and names.dtype == NAME_DTYPE:
        array = names
    elif isinstance(names, (str, bytes)):
        raise InputError(f"{kind} names must be a sequence of names, not one string {names!r}")
    else:
        # None and NaN are what tables with gaps hold; as text they would become names like any other.
        texts = ["" if name is None or name != name else str(name) for name in names]
        try:
            array = np.array(texts, dtype=NAME_DTYPE)
        except UnicodeEncodeError as error:
            raise InputError(f"{kind} name {error.object!r} is not valid Unicode: {error.reason}") from error
    if array.ndim != 1:
        raise InputError(f"{kind} names must be one-dimensional, not of shape {array.shape}")
    empty = np.flatnonzero(np.strings.str_len(np.strings.strip(array)) == 0)
    if len(empty):
        raise InputError(f"{kind} name {int(empty[0])} is empty; every {kind} needs a name")
    return array
