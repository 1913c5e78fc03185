"""Kinds of model parameters: which values are allowed, and how they are written in text and in files.

A model's table ``PARAMETERS`` has one of these for each parameter of its constructor. The table is the single source
of parameter checks, of what model files contain, and of the command line's options.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vsenumba.checks import check_choice, is_number, is_whole, seed_sequence
from vsenumba.errors import InputError
from vsenumba.registry import Family, parse_value


@dataclass(frozen=True)
class Parameter(ABC):
    """Base of the parameter kinds.

    Parameters
    ----------
    meaning : str
        Description in one sentence, which the command line shows as help.
    none : str, optional
        What None means, in words that fit after "by default"; if left out, None is not allowed.
    in_file : bool, default True
        Whether model files contain the parameter. False for settings of the machine, such as the number of threads.
    """

    meaning: str
    none: str | None = None
    in_file: bool = True

    def check(self, name: str, value: Any) -> None:
        """Raise an error if a value cannot be used.

        Parameters
        ----------
        name : str
            Name of the parameter, for the message.
        value : object
            The value.

        Raises
        ------
        InputError, UnknownNameError
            The message states the value and what is expected.
        """
        if not (value is None and self.none):
            self._check(name, value)

    @abstractmethod
    def _check(self, name: str, value: Any) -> None:
        """Raise an error if a value other than None cannot be used."""

    @abstractmethod
    def parse(self, name: str, text: str) -> Any:
        """Return the value for a text from the command line."""

    def to_json(self, value: Any) -> Any:
        """Return the value as it is stored in a file."""
        return value.item() if isinstance(value, np.generic) else value

    def from_json(self, value: Any, own: Iterable[type] = ()) -> Any:
        """Return the value for what `to_json` returned; `own` are the user's own classes that the file may name."""
        return value

    def _refuse(self, name: str, expected: str, value: Any) -> InputError:
        return InputError(f"{name} must be {expected}{' or None' if self.none else ''}, not {value!r}")

    def _types(self, kind: type) -> tuple[type, ...]:
        return (kind, type(None)) if self.none else (kind,)


@dataclass(frozen=True)
class Whole(Parameter):
    """A whole number of at least `least` and, if `most` is given, at most `most`."""

    least: int = 1
    most: int | None = None

    def _check(self, name: str, value: Any) -> None:
        # 4.0 is an error. Otherwise, every use of the parameter would have to convert it.
        if not is_whole(value, self.least) or not isinstance(value, (int, np.integer)):
            raise self._refuse(name, f"a whole number of at least {self.least}", value)
        if self.most is not None and value > self.most:
            raise self._refuse(name, f"at most {self.most:,}", value)

    def parse(self, name: str, text: str) -> Any:
        """Return the number; see `Parameter.parse`."""
        value = parse_value(name, text, self._types(int))
        self.check(name, value)
        return value


@dataclass(frozen=True)
class Number(Parameter):
    """A finite number above `above`; or of at least `least` and, if `below` is given, below `below`."""

    above: float | None = None
    least: float = 0.0
    below: float | None = None

    def _check(self, name: str, value: Any) -> None:
        if self.above is not None:
            fits, expected = is_number(value) and self.above < value < np.inf, "positive and finite"
        elif self.below is not None:
            fits = is_number(value) and self.least <= value < self.below
            expected = f"at least {self.least:g} and below {self.below:g}"
        else:
            fits, expected = is_number(value) and self.least <= value < np.inf, "finite and not negative"
        if not fits:
            raise self._refuse(name, expected, value)

    def parse(self, name: str, text: str) -> Any:
        """Return the number; see `Parameter.parse`."""
        return parse_value(name, text, self._types(float))


@dataclass(frozen=True)
class Flag(Parameter):
    """True or False."""

    def _check(self, name: str, value: Any) -> None:
        if not isinstance(value, (bool, np.bool_)):
            raise self._refuse(name, "True or False", value)

    def parse(self, name: str, text: str) -> Any:
        """Return the value; see `Parameter.parse`."""
        return parse_value(name, text, (bool,))


@dataclass(frozen=True)
class Choice(Parameter):
    """One of several names."""

    names: Mapping[str, Any] = None  # type: ignore[assignment]  # always given; fields with defaults go before it

    def _check(self, name: str, value: Any) -> None:
        check_choice(name, value, self.names)

    def parse(self, name: str, text: str) -> Any:
        """Return the name; see `Parameter.parse`."""
        if self.none and text.lower() == "none":
            return None
        self._check(name, text)
        return text


@dataclass(frozen=True)
class MemberOf(Parameter):
    """A member of a family, or its name."""

    family: Family[Any] = None  # type: ignore[assignment]  # likewise

    @property
    def names(self) -> Mapping[str, Any]:
        """The members by name."""
        return self.family.members

    def _check(self, name: str, value: Any) -> None:
        self.family(value)

    def parse(self, name: str, text: str) -> Any:
        """Return the member for a text such as ``"warp"`` or ``"warp:max_trials=10"``; see `Parameter.parse`."""
        return None if self.none and text.lower() == "none" else self.family.parse(text)

    def to_json(self, value: Any) -> Any:
        """Return a member with its parameters; see `Family.to_json`."""
        return self.family.to_json(value)

    def from_json(self, value: Any, own: Iterable[type] = ()) -> Any:
        """Return the member; see `Family.from_json`."""
        return self.family.from_json(value, own)


@dataclass(frozen=True)
class NameOrSum(Parameter):
    """A name, or several names whose meanings are added up.

    Parameters
    ----------
    resolve : callable
        Returns the object for a name or a sequence of names; raises an error for unknown names.
    names : mapping
        The possible names.
    """

    resolve: Callable[[Any], object] = None  # type: ignore[assignment]  # likewise
    names: Mapping[str, Any] = None  # type: ignore[assignment]  # likewise

    def _check(self, name: str, value: Any) -> None:
        self.resolve(value)

    def parse(self, name: str, text: str) -> Any:
        """Return one name, or a tuple of the names between plus signs; see `Parameter.parse`."""
        names = tuple(part.strip() for part in text.split("+"))
        self._check(name, names)
        return names if len(names) > 1 else names[0]

    def to_json(self, value: Any) -> Any:
        """Return a name or a list of names; see `Parameter.to_json`."""
        return value if isinstance(value, str) else list(value)

    def from_json(self, value: Any, own: Iterable[type] = ()) -> Any:
        """Return a name or a tuple of names; see `Parameter.from_json`."""
        return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True)
class Seed(Parameter):
    """A random seed. Files contain the seed's entropy, and the value itself only if it is a number."""

    none: str | None = "a different seed each time"

    def _check(self, name: str, value: Any) -> None:
        if not isinstance(value, (np.random.Generator, np.random.RandomState)):  # checking would advance a generator
            seed_sequence(value, name)

    def parse(self, name: str, text: str) -> Any:
        """Return the number; see `Parameter.parse`."""
        return parse_value(name, text, self._types(int))

    def to_json(self, value: Any) -> Any:
        """Return a number, or None for any other value; see `Parameter.to_json`."""
        return int(value) if isinstance(value, (int, np.integer)) else None
